// Roles of TAPI's structures, of fixed size and with variable parts. See wire/roles.hpp for what a role is and who
// uses it.
#pragma once

#include "wire/block_roles.hpp"

namespace tsplink::wire {

/// A structure of fixed size that the caller fills; may be NULL.
template <class T>
struct FixedIn : RoleBase<T*, Block> {
  template <class C, std::size_t I>
  static Block take(DesktopSide&, const typename C::Arguments& arguments) {
    return take_block<C, I>(std::get<I>(arguments), sizeof(T));
  }
  struct Held : RoleBase<T*, Block>::HeldBase {
    HeldBlock block;
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs& in) {
      const auto& bytes = std::get<I>(in);
      if (bytes && bytes->size() != sizeof(T)) malformed<C, I>("has a wrong size");
      Held held;
      held.block.value = bytes;
      return held;
    }
    T* pass() { return reinterpret_cast<T*>(block.data()); }
  };
};

template <class T>
struct FixedOut : RoleBase<T*, Nothing, Block> {
  template <class C, std::size_t I>
  static LONG store(DesktopSide&, const Block& out, const Nothing&, const typename C::Arguments& arguments) {
    if (!out) return 0;
    if (out->size() != sizeof(T)) malformed<C, I>("has a wrong size");
    if (auto* slot = std::get<I>(arguments)) std::memcpy(slot, out->data(), sizeof(T));
    return 0;
  }
  struct Held : RoleBase<T*, Nothing, Block>::HeldBase {
    Bytes bytes = Bytes(sizeof(T) + kSlack);
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs&) {
      return {};
    }
    T* pass() { return reinterpret_cast<T*>(bytes.data()); }
    Block collect(VendorSide&) { return Bytes(bytes.begin(), bytes.begin() + sizeof(T)); }
  };
};

/// A structure with variable parts that the caller fills; may be NULL. Checked field by field on both sides.
template <class T>
struct VarIn : RoleBase<T*, Block> {
  template <class C, std::size_t I>
  static Block take(DesktopSide& side, const typename C::Arguments& arguments) {
    const auto* structure = std::get<I>(arguments);
    if (!structure) return std::nullopt;
    DWORD total = 0;
    std::memcpy(&total, structure, sizeof total);  // dwTotalSize is the first member of all of them
    auto block = take_block<C, I>(structure, total);
    check_input(describe<T>(), *block, side.version());
    return block;
  }
  struct Held : RoleBase<T*, Block>::HeldBase {
    HeldBlock block;
    template <class C, std::size_t I>
    static Held made(VendorSide& side, const typename C::Inputs& in) {
      Held held;
      if (const auto& bytes = std::get<I>(in)) {
        if (bytes->size() > kMaxBlock) malformed<C, I>("is over the bound");
        check_input(describe<T>(), *bytes, side.version());
        held.block.value = bytes;
      }
      return held;
    }
    T* pass() { return reinterpret_cast<T*>(block.data()); }
  };
};

/// A structure that the vendor fills. In: the caller's dwTotalSize. The vendor gets room for a whole structure even
/// if the caller has little: only of a whole one can the desktop say truly how much is needed.
template <class T>
struct VarOut : RoleBase<T*, std::uint32_t, Block> {
  static constexpr std::uint32_t least_room = 16 * 1024;
  template <class C, std::size_t I>
  static std::uint32_t take(DesktopSide&, const typename C::Arguments& arguments) {
    const auto* structure = std::get<I>(arguments);
    if (!structure) return 0;
    DWORD total = 0;
    std::memcpy(&total, structure, sizeof total);
    return std::clamp<DWORD>(total, 1, kMaxBlock);  // 0 stands for no structure
  }
  template <class C, std::size_t I>
  static LONG store(DesktopSide& side, const Block& out, const std::uint32_t&,
                    const typename C::Arguments& arguments) {
    auto* structure = std::get<I>(arguments);
    if (!out || !structure) return 0;
    constexpr auto version_at = C::position("dwTSPIVersion");
    if constexpr (version_at < C::size) {
      const DWORD version = std::get<version_at>(arguments);
      return side.store(describe<T>(), *out, structure, version, version);
    } else {
      return side.store(describe<T>(), *out, structure, side.version(), 0);
    }
  }
  struct Held : RoleBase<T*, std::uint32_t, Block>::HeldBase {
    Bytes bytes;  // empty: the caller passed NULL
    std::uint32_t total = 0;
    std::uint32_t version = 0;
    template <class C, std::size_t I>
    static Held made(VendorSide& side, const typename C::Inputs& in) {
      Held held;
      held.total = std::get<I>(in);
      if (held.total > kMaxBlock) malformed<C, I>("asks for more than a block may hold");
      if (held.total == 0) return held;
      if constexpr (!C::template Role<I>::late) held.total = std::max(held.total, least_room);
      constexpr auto version_at = C::position("dwTSPIVersion");
      if constexpr (version_at < C::size) {
        held.version = std::get<version_at>(in);
      } else {
        held.version = side.version();
      }
      // Even a caller's buffer of a few bytes is a whole structure here: a vendor reads dwTotalSize and may write
      // more.
      held.bytes.resize(std::max<std::size_t>(held.total, sizeof(T)) + kSlack);
      std::memcpy(held.bytes.data(), &held.total, sizeof held.total);
      return held;
    }
    T* pass() { return bytes.empty() ? nullptr : reinterpret_cast<T*>(bytes.data()); }
    Block collect(VendorSide& side) {
      if (bytes.empty()) return std::nullopt;
      std::memcpy(bytes.data(), &total, sizeof total);
      bytes.resize(std::max<std::size_t>(total, 3 * sizeof(DWORD)));
      const auto mended = clamp_output(describe<T>(), bytes, version);
      bytes.resize(mended.bytes);
      for (const auto& [field, what] : describe<T>().rewrites) {
        if (what != Rewrite::CallId || field.at + field.size > bytes.size()) continue;
        std::uint32_t id = 0;
        std::memcpy(&id, bytes.data() + field.at, sizeof id);
        id = side.call_id(id);
        std::memcpy(bytes.data() + field.at, &id, sizeof id);
      }
      return std::move(bytes);
    }
  };
};

template <class T>
struct LateVarOut : VarOut<T> {
  static constexpr bool late = true;
};

}  // namespace tsplink::wire
