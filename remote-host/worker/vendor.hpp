// The exports of one vendor TSP: a table of symbols, filled once by a lookup function, so that a test's functions serve
// as well as a module's. Owner: the Worker. Immutable after construction; any thread may call through it.
#pragma once

#include <array>
#include <string>

#include "remote-host/platform.hpp"
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

/// What a function answers whose export is missing (rules 5.4).
constexpr LONG unavailable(std::string_view name) {
  return static_cast<LONG>(is_phone_function(name) ? PHONEERR_OPERATIONUNAVAIL : LINEERR_OPERATIONUNAVAIL);
}
constexpr LONG operation_failed(std::string_view name) {
  return static_cast<LONG>(is_phone_function(name) ? PHONEERR_OPERATIONFAILED : LINEERR_OPERATIONFAILED);
}

class Vendor {
 public:
  /// `name` is the provider's in the configuration.
  Vendor(std::string name, const Module& module) : name_(std::move(name)), keep_(module.keep) {
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
      symbols_[i] = module.lookup(("TSPI_" + std::string(detail::kFunctionNames[i])).c_str());
    }
  }
  const std::string& name() const { return name_; }
  bool has(std::uint16_t number) const { return number < symbols_.size() && symbols_[number] != nullptr; }
  template <class C>
  bool has() const {
    return has(number_of<C>);
  }
  /// How many of the sheet's functions are there.
  std::size_t exports() const {
    std::size_t count = 0;
    for (const auto* symbol : symbols_) count += symbol != nullptr;
    return count;
  }

  /// Calls the vendor's function; the answer of a missing one where there is none.
  template <class C, class... Arguments>
  LONG call(Arguments... arguments) const {
    auto* function = reinterpret_cast<typename C::Prototype>(symbols_[number_of<C>]);
    return function ? function(arguments...) : unavailable(C::name);
  }

 private:
  std::string name_;
  std::array<void*, wire::kFunctionCount> symbols_{};
  std::shared_ptr<void> keep_;
};

}  // namespace tsplink::host
