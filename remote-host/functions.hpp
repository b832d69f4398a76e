// Numbers and error families of the sheet's functions, for broker and worker. Constants; any thread.
#pragma once

#include <array>
#include <initializer_list>
#include <string_view>

#include "wire/calls.hpp"

namespace tsplink::host {

namespace detail {
constexpr std::array<std::string_view, wire::kFunctionCount> kFunctionNames{
#define TSPI_CALL(function, ...) std::string_view(#function),
#include "wire/tspi_calls.def"
#undef TSPI_CALL
};
constexpr std::size_t number_named(std::string_view name) {
  for (std::size_t i = 0; i < kFunctionNames.size(); ++i) {
    if (kFunctionNames[i] == name) return i;
  }
  return kFunctionNames.size();
}
}  // namespace detail

/// A function's number on the wire, from its description.
template <class C>
constexpr std::uint16_t number_of = static_cast<std::uint16_t>(detail::number_named(C::name));

/// Whether a function answers with PHONEERR_ codes.
constexpr bool is_phone_function(std::string_view name) { return name.substr(0, 5) == "phone"; }

/// Whether its caller has let go of something with it, whatever the driver says.
constexpr bool closes(std::uint16_t function) {
  for (const auto* name :
       {"lineClose", "lineCloseCall", "lineCloseMSPInstance", "phoneClose", "providerFreeDialogInstance"}) {
    if (function == detail::number_named(name)) return true;
  }
  return false;
}

/// What a function answers whose export is missing.
constexpr LONG unavailable(std::string_view name) {
  return static_cast<LONG>(is_phone_function(name) ? PHONEERR_OPERATIONUNAVAIL : LINEERR_OPERATIONUNAVAIL);
}
constexpr LONG operation_failed(std::string_view name) {
  return static_cast<LONG>(is_phone_function(name) ? PHONEERR_OPERATIONFAILED : LINEERR_OPERATIONFAILED);
}

}  // namespace tsplink::host
