// What every role of the sheet (wire/roles.hpp) starts from: nothing crosses, the vendor gets zero. Used as roles
// are.
#pragma once

#include <cstring>
#include <span>

#include "wire/description.hpp"
#include "wire/failure.hpp"
#include "wire/sides.hpp"
#include "wire/structures.hpp"
#include "wire/values.hpp"

namespace tsplink::wire {

/// Bytes behind every output buffer that a vendor gets, since some write past its end.
constexpr std::size_t kSlack = 256;

[[noreturn]] inline void malformed(std::string_view function, std::string_view parameter, const char* what) {
  throw Failure(Kind::Malformed, std::string(function) + ": " + std::string(parameter) + " " + what);
}

template <class C, std::size_t I>
[[noreturn]] void malformed(const char* what) {
  malformed(C::name, C::parameters[I], what);
}

/// Defaults: nothing crosses, the vendor gets zero.
template <class T, class InT = Nothing, class OutT = Nothing>
struct RoleBase {
  using c_type = T;
  using In = InT;
  using Out = OutT;
  static constexpr bool late = false;
  static constexpr bool told_at_return = false;

  template <class C, std::size_t I>
  static In take(DesktopSide&, const typename C::Arguments& arguments) {
    if constexpr (kCrosses<In>) {
      return std::get<I>(arguments);
    } else {
      return {};
    }
  }
  template <class C, std::size_t I>
  static LONG store(DesktopSide&, const Out&, const In&, const typename C::Arguments&) {
    return 0;
  }
  struct HeldBase {
    T pass() { return T{}; }
    void returned(VendorSide&, LONG) {}
    Out collect(VendorSide&) { return {}; }
  };
};

}  // namespace tsplink::wire
