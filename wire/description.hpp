// Compile-time description of one TSPI function, made from its entry in the sheet: names, roles, C types, wire
// values. No objects; everything here is types and constants.
#pragma once

#include "wire/tapi.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tsplink::wire {

/// A name as a template argument.
template <std::size_t N>
struct FixedString {
  char text[N]{};
  constexpr FixedString(const char (&from)[N]) {  // NOLINT(google-explicit-constructor): written as a literal
    for (std::size_t i = 0; i < N; ++i) text[i] = from[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

enum class Right : unsigned char { Local, Monitor, Control, MspData };

template <FixedString Name, class R>
struct Parameter {
  static constexpr std::string_view name = Name.view();
  using Role = R;
};

struct RequestId;

template <FixedString Name, Right Needed, class... P>
struct Description {
  static constexpr std::string_view name = Name.view();
  static constexpr Right right = Needed;
  static constexpr std::size_t size = sizeof...(P);
  static constexpr std::array<std::string_view, sizeof...(P)> parameters{P::name...};
  using Roles = std::tuple<typename P::Role...>;
  template <std::size_t I>
  using Role = std::tuple_element_t<I, Roles>;
  using Arguments = std::tuple<typename P::Role::c_type...>;
  using Inputs = std::tuple<typename P::Role::In...>;
  using Outputs = std::tuple<typename P::Role::Out...>;
  using Held = std::tuple<typename P::Role::Held...>;
  using Prototype = LONG(WINAPI*)(typename P::Role::c_type...);
  static constexpr bool asynchronous = std::is_same_v<std::tuple_element_t<0, Roles>, RequestId>;
  /// Its Completion comes after a Reply that says what the function had decided when it returned.
  static constexpr bool told_at_return = (P::Role::told_at_return || ...);

  /// Position of a parameter, size if there is none of that name.
  static constexpr std::size_t position(std::string_view wanted) {
    for (std::size_t i = 0; i < size; ++i) {
      if (parameters[i] == wanted) return i;
    }
    return size;
  }
};

/// Calls f(std::integral_constant<std::size_t, I>) for each parameter of a description.
template <class C, class F>
constexpr void for_each_parameter(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) { (f(std::integral_constant<std::size_t, I>{}), ...); }
  (std::make_index_sequence<C::size>{});
}

}  // namespace tsplink::wire
