// Roles of text and bytes, whose size another parameter or a NUL says. See wire/roles.hpp for what a role is and who
// uses it.
#pragma once

#include "wire/value_roles.hpp"

namespace tsplink::wire {

struct Text : RoleBase<LPCWSTR, Utf16> {
  template <class C, std::size_t I>
  static In take(DesktopSide&, const typename C::Arguments& arguments) {
    const auto* text = std::get<I>(arguments);
    if (!text) return std::nullopt;
    std::u16string value;
    for (; *text; ++text) {
      if (value.size() == kMaxText) throw Failure(Kind::TooLarge, std::string(C::name) + ": text without end");
      value.push_back(static_cast<char16_t>(*text));
    }
    return value;
  }
  struct Held : HeldBase {
    std::optional<std::basic_string<WCHAR>> value;
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs& in) {
      Held held;
      if (const auto& text = std::get<I>(in)) {
        if (text->size() > kMaxText) malformed<C, I>("is too long");
        if (text->find(u'\0') != std::u16string::npos) malformed<C, I>("holds a NUL");
        held.value.emplace(text->begin(), text->end());
      }
      return held;
    }
    LPCWSTR pass() { return value ? value->c_str() : nullptr; }
  };
};

/// Holds a block for a vendor in memory of its exact size, so that a sanitizer sees one byte too far.
struct HeldBlock {
  Block value;
  bool absent() const { return !value; }
  std::uint8_t* data() {
    static std::uint8_t empty = 0;
    return !value ? nullptr : value->empty() ? &empty : value->data();
  }
};

template <class C, std::size_t I>
Block take_block(const void* from, std::size_t size) {
  if (!from) return std::nullopt;
  if (size > kMaxBlock) throw Failure(Kind::TooLarge, std::string(C::name) + ": block over the bound");
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  return Bytes(bytes, bytes + size);
}

/// Bytes (Unit 1) or an array of packed structures (Unit: size of one), counted by the parameter that `Counter`
/// names.
template <FixedString Counter, class Pointer, std::size_t Unit = 1>
struct CountedIn : RoleBase<Pointer, Block> {
  static constexpr auto counted_by = Counter;
  static constexpr std::size_t unit = Unit;
  template <class C, std::size_t I>
  static Block take(DesktopSide&, const typename C::Arguments& arguments) {
    constexpr auto at = C::position(Counter.view());
    static_assert(at < C::size && std::is_same_v<typename C::template Role<at>, Count>);
    return take_block<C, I>(std::get<I>(arguments), std::size_t{std::get<at>(arguments)} * Unit);
  }
  struct Held : RoleBase<Pointer, Block>::HeldBase {
    HeldBlock block;
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs& in) {
      const auto& bytes = std::get<I>(in);
      if (bytes && (bytes->size() > kMaxBlock || bytes->size() % Unit != 0)) malformed<C, I>("has a wrong size");
      Held held;
      held.block.value = bytes;
      return held;
    }
    Pointer pass() {
      // A vendor's parameter may lack const; it gets a copy of its own.
      return reinterpret_cast<Pointer>(block.data());
    }
  };
};

template <FixedString Counter, class Pointer>
struct BytesIn : CountedIn<Counter, Pointer> {};
template <class T, FixedString Counter>
struct ArrayIn : CountedIn<Counter, T*, sizeof(T)> {};

/// A block that the vendor changes; the changed block comes back.
template <FixedString Counter>
struct BytesInOut : RoleBase<LPVOID, Block, Block> {
  static constexpr auto counted_by = Counter;
  static constexpr std::size_t unit = 1;
  template <class C, std::size_t I>
  static Block take(DesktopSide&, const typename C::Arguments& arguments) {
    constexpr auto at = C::position(Counter.view());
    static_assert(at < C::size && std::is_same_v<typename C::template Role<at>, Count>);
    return take_block<C, I>(std::get<I>(arguments), std::get<at>(arguments));
  }
  template <class C, std::size_t I>
  static LONG store(DesktopSide&, const Block& out, const Block& in, const typename C::Arguments& arguments) {
    if (!out) return 0;
    if (!in || out->size() != in->size()) malformed<C, I>("came back with another size");
    if (!out->empty()) std::memcpy(std::get<I>(arguments), out->data(), out->size());
    return 0;
  }
  struct Held : HeldBase {
    HeldBlock block;
    std::size_t size = 0;
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs& in) {
      const auto& bytes = std::get<I>(in);
      if (bytes && bytes->size() > kMaxBlock) malformed<C, I>("is over the bound");
      Held held;
      held.block.value = bytes;
      if (bytes) {
        held.size = bytes->size();
        held.block.value->resize(held.size + kSlack);
      }
      return held;
    }
    LPVOID pass() { return block.data(); }
    Block collect(VendorSide&) {
      if (block.absent()) return std::nullopt;
      return Bytes(block.value->begin(), block.value->begin() + static_cast<std::ptrdiff_t>(size));
    }
  };
};

/// The same before the completion.
template <FixedString Counter>
struct LateBytesInOut : BytesInOut<Counter> {
  static constexpr bool late = true;
};

/// An output of so many bytes as the Capacity parameter that `Counter` names says.
template <FixedString Counter>
struct BytesOut : RoleBase<LPVOID, Nothing, Block> {
  template <class C, std::size_t I>
  static LONG store(DesktopSide&, const Block& out, const Nothing&, const typename C::Arguments& arguments) {
    constexpr auto at = C::position(Counter.view());
    if (!out) return 0;
    if (out->size() > std::get<at>(arguments)) malformed<C, I>("is larger than was asked for");
    if (!out->empty() && std::get<I>(arguments)) std::memcpy(std::get<I>(arguments), out->data(), out->size());
    return 0;
  }
  struct Held : HeldBase {
    Bytes bytes;
    std::size_t size = 0;
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs& in) {
      constexpr auto at = C::position(Counter.view());
      static_assert(at < C::size && std::is_same_v<typename C::template Role<at>, Capacity>);
      Held held;
      held.size = std::min<std::size_t>(std::get<at>(in), kMaxBlock);
      held.bytes.resize(held.size + kSlack);
      return held;
    }
    LPVOID pass() { return bytes.data(); }
    Block collect(VendorSide&) { return Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)); }
  };
};

/// Text that the vendor writes until an event says that it is there (lineGatherDigits). In: whether there is a
/// buffer.
template <FixedString Counter>
struct EventTextOut : RoleBase<LPWSTR, std::uint32_t> {
  template <class C, std::size_t I>
  static In take(DesktopSide&, const typename C::Arguments& arguments) {
    return std::get<I>(arguments) != nullptr ? 1 : 0;
  }
  struct Held : HeldBase {
    std::basic_string<WCHAR> text;
    bool present = false;
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs& in) {
      constexpr auto at = C::position(Counter.view());
      Held held;
      held.present = std::get<I>(in) != 0;
      held.text.resize(std::min<std::size_t>(std::get<at>(in), kMaxBlock) + kSlack);
      return held;
    }
    LPWSTR pass() { return present ? text.data() : nullptr; }
    /// UTF-16, without what the vendor left zero behind it.
    Bytes gathered() const {
      auto size = std::min<std::size_t>(text.size() - kSlack, kMaxBlock / sizeof(WCHAR));
      while (size > 0 && text[size - 1] == 0) --size;
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
      return Bytes(bytes, bytes + size * sizeof(WCHAR));
    }
  };
};

}  // namespace tsplink::wire
