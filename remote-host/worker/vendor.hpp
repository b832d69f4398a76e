// The exports of one vendor TSP: a table of symbols, filled once by a lookup function, so that a test's functions
// serve as well as a module's. Owner: the Worker. Immutable after construction; any thread may call through it.
#pragma once

#include <array>
#include <string>

#include "remote-host/functions.hpp"
#include "remote-host/platform.hpp"

namespace tsplink::host {

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
