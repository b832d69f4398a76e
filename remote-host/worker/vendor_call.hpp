// One call of one vendor function with everything it points at: made from a request's bytes, alive until the answer
// is out. Type-erased, so that the worker's protocol is written once for all functions of the sheet. Owner: the
// worker's request; used by one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "remote-host/worker/vendor.hpp"
#include "wire/codec.hpp"

namespace tsplink::host {

class VendorCall {
 public:
  virtual ~VendorCall() = default;
  /// Turns ids into the vendor's handles and makes tokens. Throws Failure with the error to answer.
  virtual void hold(wire::VendorSide& side) = 0;
  virtual LONG invoke(const Vendor& vendor) = 0;
  /// After the function accepted: gives new objects their handles.
  virtual void bind(wire::VendorSide& side) = 0;
  /// The function's reply table; once.
  virtual wire::Bytes outputs(wire::VendorSide& side) = 0;
  /// Whether it has a buffer that the vendor fills until an event says so (lineGatherDigits), and what is in it.
  virtual bool gathers() const = 0;
  virtual wire::Bytes gathered() const = 0;
  /// The number that its events carry (role EventTag); 0: none does.
  virtual std::uint32_t event_tag() const = 0;
};

template <class C>
class TypedVendorCall final : public VendorCall {
 public:
  using Inputs = typename C::Inputs;
  explicit TypedVendorCall(Inputs inputs) : inputs_(std::move(inputs)) {}

  void hold(wire::VendorSide& side) override { hold(side, kAll); }
  LONG invoke(const Vendor& vendor) override {
    return std::apply([&](auto&... held) { return vendor.call<C>(held.pass()...); }, *held_);
  }
  void bind(wire::VendorSide& side) override { bind(side, kAll); }
  wire::Bytes outputs(wire::VendorSide& side) override { return wire::encode(values(side)); }
  bool gathers() const override {
    bool found = false;
    wire::for_each_parameter<C>([&](auto at) {
      if constexpr (requires { std::get<at.value>(*held_).gathered(); }) found = std::get<at.value>(*held_).present;
    });
    return found;
  }
  wire::Bytes gathered() const override {
    wire::Bytes text;
    wire::for_each_parameter<C>([&](auto at) {
      if constexpr (requires { std::get<at.value>(*held_).gathered(); }) text = std::get<at.value>(*held_).gathered();
    });
    return text;
  }
  std::uint32_t event_tag() const override {
    if constexpr (constexpr auto at = wire::event_tag_of<C>(); at < C::size) return std::get<at>(inputs_);
    return 0;
  }
  /// The outputs before they are encoded.
  typename C::Outputs values(wire::VendorSide& side) { return values(side, kAll); }

 private:
  static constexpr auto kAll = std::make_index_sequence<C::size>{};

  template <std::size_t... I>
  void hold(wire::VendorSide& side, std::index_sequence<I...>) {
    // The elements of a braced list are made in order: a token's maker knows the line that was named before.
    held_.emplace(typename C::Held{C::template Role<I>::Held::template made<C, I>(side, inputs_)...});
  }
  template <std::size_t... I>
  void bind(wire::VendorSide& side, std::index_sequence<I...>) {
    (bind_one<I>(side), ...);
  }
  template <std::size_t I>
  void bind_one(wire::VendorSide& side) {
    auto& slot = std::get<I>(*held_);
    if constexpr (I > 0) {
      if constexpr (requires { slot.bind(side, std::get<I - 1>(*held_).value); }) {
        if (slot.value) slot.bind(side, std::get<I - 1>(*held_).value);
      }
    }
  }
  template <std::size_t... I>
  typename C::Outputs values(wire::VendorSide& side, std::index_sequence<I...>) {
    return typename C::Outputs{std::get<I>(*held_).collect(side)...};
  }

  Inputs inputs_;
  std::optional<typename C::Held> held_;
};

/// The call that a request's bytes ask for. Throws Failure: Malformed, or Unavailable for numbers that are not called
/// from the wire.
std::unique_ptr<VendorCall> make_vendor_call(std::uint16_t function, std::span<const std::uint8_t> arguments);

}  // namespace tsplink::host
