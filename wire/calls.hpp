// The sheet as C++: one description type for each TSPI function (wire::calls::lineMakeCall ...), their list and
// numbers, checked against tspi.h. From these come exports, codec, dispatch, schema, trace lines and the derived
// tests.
#pragma once

#include <cstdint>

#include "wire/description.hpp"
#include "wire/roles.hpp"
#include "wire/sheet_macros.hpp"

namespace tsplink::wire {

namespace calls {
#define TSPLINK_PARAMETER(pair) Parameter<TSPLINK_STRING(TSPLINK_PAIR_NAME(pair)), TSPLINK_PAIR_ROLE(pair)>
#define TSPI_CALL(function, right, ...) \
  using function = Description<#function, Right::right, TSPLINK_MAP(TSPLINK_PARAMETER, __VA_ARGS__)>;
#include "wire/tspi_calls.def"
#undef TSPI_CALL
}  // namespace calls

/// A function's number on the wire: its position in the sheet.
enum class Function : std::uint16_t {
#define TSPI_CALL(function, ...) function,
#include "wire/tspi_calls.def"
#undef TSPI_CALL
};

constexpr std::size_t kFunctionCount = 0
#define TSPI_CALL(...) +1
#include "wire/tspi_calls.def"
#undef TSPI_CALL
    ;

// What the sheet says is what tspi.h declares.
#define TSPI_CALL(function, ...) \
  static_assert(std::is_same_v<calls::function::Prototype, decltype(&::TSPI_##function)>, "TSPI_" #function);
#include "wire/tspi_calls.def"
#undef TSPI_CALL

/// Calls f.operator()<Description, Function>() for every function of the sheet.
template <class F>
constexpr void for_each_call(F&& f) {
#define TSPI_CALL(function, ...) f.template operator()<calls::function, Function::function>();
#include "wire/tspi_calls.def"
#undef TSPI_CALL
}

/// What a program needs to know of a function at run time.
struct FunctionInfo {
  std::string_view name;  // without TSPI_
  Right right;
  bool asynchronous;
  bool told_at_return;
};

/// nullptr: no such function.
const FunctionInfo* function_info(std::uint16_t number);

}  // namespace tsplink::wire
