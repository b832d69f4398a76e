// A call of any function from the caller's arguments to what the worker answers, without a network. One thread.
#pragma once

#include <vector>

#include "sides.hpp"

namespace tsplink::wire::testing {

/// A caller's arguments: pointers lead into heap blocks of exact size.
template <class C>
class Caller {
 public:
  explicit Caller(Samples& samples) : samples_(samples) {
    for_each_parameter<C>([&](auto i) { make<decltype(i)::value>(); });
  }
  typename C::Arguments arguments{};

 private:
  template <std::size_t I>
  void make() {
    using Role = typename C::template Role<I>;
    using Type = typename Role::c_type;
    auto& argument = std::get<I>(arguments);
    if constexpr (Counted<Role>) {
      auto& count = std::get<C::position(Role::counted_by.view())>(arguments);
      const auto entries = samples_.below(5);
      count = static_cast<DWORD>(entries);
      if (samples_.below(4) != 0) argument = place<Type>(samples_.bytes(entries * Role::unit));
    } else if constexpr (std::is_same_v<Role, Count>) {
      // made with its pointer
    } else if constexpr (std::is_same_v<Role, Text>) {
      if (samples_.below(4) != 0) argument = place<Type>(text());
    } else if constexpr (Is<Role, VarIn>) {
      if (samples_.below(4) != 0) argument = place<Type>(plain_structure<std::remove_pointer_t<Type>>());
    } else if constexpr (Is<Role, FixedIn>) {
      if (samples_.below(4) != 0) argument = place<Type>(samples_.bytes(sizeof(std::remove_pointer_t<Type>)));
    } else if constexpr (VariableOut<Role>) {
      Bytes bytes(sizeof(std::remove_pointer_t<Type>) + samples_.below(200), 0xCD);
      const auto size = static_cast<std::uint32_t>(bytes.size());
      std::memcpy(bytes.data(), &size, sizeof size);
      argument = place<Type>(bytes);
    } else if constexpr (BytesOutput<Role> || std::is_same_v<Type, LPWSTR>) {
      constexpr std::size_t at_count = capacity();
      const auto size = 1 + samples_.below(40);
      std::get<at_count>(arguments) = static_cast<DWORD>(size);
      argument = place<Type>(Bytes(size * (BytesOutput<Role> ? 1 : sizeof(WCHAR))));
    } else if constexpr (I == C::position("dwTSPIVersion")) {
      argument = kVersion;  // it decides the layout of a structure that comes back
    } else if constexpr (std::is_same_v<Role, Capacity>) {
      // made with its pointer
    } else if constexpr (std::is_function_v<std::remove_pointer_t<Type>>) {
      argument = nullptr;
    } else if constexpr (requires { typename Role::Held; } && std::is_pointer_v<Type> && output_slot<Role>()) {
      argument = place<Type>(Bytes(sizeof(std::remove_pointer_t<Type>)));
    } else {
      argument = handle_from<Type>(1 + samples_.below(1000));
    }
  }
  template <class Role>
  static constexpr bool output_slot() {
    return NewObject<Role> || std::is_base_of_v<DwordOut, Role> || Is<Role, FixedOut> ||
           std::is_same_v<Role, IconOut>;
  }
  static constexpr std::size_t capacity() {
    std::size_t found = C::size;
    for_each_parameter<C>([&](auto i) {
      if (std::is_same_v<typename C::template Role<decltype(i)::value>, Capacity>) found = i;
    });
    return found;
  }
  Bytes text() {
    Bytes bytes(2 * (samples_.below(20) + 1));
    for (std::size_t i = 0; i + 2 < bytes.size(); i += 2)
      bytes[i] = static_cast<std::uint8_t>('0' + samples_.below(10));
    return bytes;
  }
  template <class Pointer>
  Pointer place(const Bytes& bytes) {
    blocks_.emplace_back(bytes);
    return reinterpret_cast<Pointer>(const_cast<std::uint8_t*>(blocks_.back().span().data()));
  }

  Samples& samples_;
  std::vector<Exact> blocks_;
};

template <class C>
typename C::Inputs taken(DesktopSide& side, const typename C::Arguments& arguments) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return typename C::Inputs{C::template Role<I>::template take<C, I>(side, arguments)...};
  }
  (std::make_index_sequence<C::size>{});
}

/// What the worker does after the call: objects get their ids, then outputs are collected.
template <class C>
typename C::Outputs collected(FakeWorker& worker, typename C::Held& held) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    (std::get<I>(held).returned(worker, 0), ...);
    auto bind = [&]<std::size_t At>() {
      if constexpr (NewObject<typename C::template Role<At>>) {
        std::get<At>(held).bind(worker, std::get<At - 1>(held).value);
      }
    };
    (bind.template operator()<I>(), ...);
    return typename C::Outputs{std::get<I>(held).collect(worker)...};
  }
  (std::make_index_sequence<C::size>{});
}

}  // namespace tsplink::wire::testing
