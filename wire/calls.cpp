#include "wire/calls.hpp"

namespace tsplink::wire {

const FunctionInfo* function_info(std::uint16_t number) {
  static constexpr FunctionInfo kInfos[] = {
#define TSPI_CALL(function, ...) \
  {calls::function::name, calls::function::right, calls::function::asynchronous, calls::function::told_at_return},
#include "wire/tspi_calls.def"
#undef TSPI_CALL
  };
  return number < kFunctionCount ? &kInfos[number] : nullptr;
}

}  // namespace tsplink::wire
