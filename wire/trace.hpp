// Any frame as one readable line, derived from the sheet: for logs and for looking at captured bytes. Text is quoted,
// escaped and cut, blocks are shown as sizes, tokens never; a line is ASCII and at most kMaxTraceLine long.
// Owner: nobody, pure functions that never throw but for memory. Any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "wire/calls.hpp"
#include "wire/values.hpp"

namespace tsplink::wire {

constexpr std::size_t kMaxTraceLine = 1000;

/// One envelope. A reply or completion does not say whose it is: with `function` its outputs are shown too.
/// What is malformed says so in the line.
std::string trace_frame(std::span<const std::uint8_t> envelope, std::optional<Function> function = std::nullopt);

/// The constant's name of the first parameter of a message, given as dwMsg ("LINECALLSTATE_IDLE"); empty: it has none
/// here.
std::string_view name_of_first_parameter(std::uint32_t message, std::uint64_t value);

namespace detail {
void trace_value(std::string& line, std::string_view name, std::uint32_t value);
void trace_value(std::string& line, std::string_view name, std::uint64_t id);
void trace_value(std::string& line, std::string_view name, const Block& block);
void trace_value(std::string& line, std::string_view name, const Utf16& text);
inline void trace_value(std::string&, std::string_view, Nothing) {}

template <class C, class Values>
std::string trace_values(const Values& values) {
  std::string line;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (trace_value(line, C::parameters[I], std::get<I>(values)), ...);
  }
  (std::make_index_sequence<C::size>{});
  return line;
}
}  // namespace detail

/// " hdLine=#3f0c9a21 lpszDestAddress="5550100" lpCallParams=180 bytes": what crosses, in the sheet's order.
template <class C>
std::string trace_inputs(const typename C::Inputs& inputs) {
  return detail::trace_values<C>(inputs);
}
template <class C>
std::string trace_outputs(const typename C::Outputs& outputs) {
  return detail::trace_values<C>(outputs);
}

}  // namespace tsplink::wire
