#include "remote-host/worker/vendor_call.hpp"

namespace tsplink::host {

namespace {

using Maker = std::unique_ptr<VendorCall> (*)(std::span<const std::uint8_t>);

template <class C>
std::unique_ptr<VendorCall> make(std::span<const std::uint8_t> arguments) {
  if constexpr (C::right == wire::Right::Local) {
    throw Failure(Kind::Unavailable, std::string(C::name) + " is not called from a desktop");
  } else {
    return std::make_unique<TypedVendorCall<C>>(wire::decode<typename C::Inputs>(arguments));
  }
}

constexpr Maker kMakers[] = {
#define TSPI_CALL(function, ...) &make<wire::calls::function>,
#include "wire/tspi_calls.def"
#undef TSPI_CALL
};

}  // namespace

std::unique_ptr<VendorCall> make_vendor_call(std::uint16_t function, std::span<const std::uint8_t> arguments) {
  if (function >= wire::kFunctionCount) throw Failure(Kind::Unavailable, "a function that this host does not know");
  return kMakers[function](arguments);
}

}  // namespace tsplink::host
