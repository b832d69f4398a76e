// The roles of the sheet: what a parameter of a TSPI function is, not what its C type happens to be. A role knows its
// C type, what of it crosses the wire (In with the request, Out with the answer), how the desktop takes and stores
// it, and how the worker holds it for the vendor. Used by one thread at a time; the sides (wire/sides.hpp) say who
// that is.
//
// A role R has: c_type, In, Out, late (Out comes with the completion), and
//   take<C, I>(side, arguments) -> In                        desktop, before the call leaves
//   store<C, I>(side, out, in, arguments) -> LONG            desktop, when the answer is there; 0 or an error
//   Held: made<C, I>(side, inputs), pass(), returned(side, result), collect(side) -> Out      worker, around the call
#pragma once

#include <cstring>
#include <span>

#include "wire/description.hpp"
#include "wire/failure.hpp"
#include "wire/sides.hpp"
#include "wire/structures.hpp"
#include "wire/values.hpp"

namespace tsplink::wire {

/// Bytes behind every output buffer that a vendor gets, since some write past its end (rules 3.3).
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

// --- numbers -----------------------------------------------------------------------------------------------------

struct Dword : RoleBase<DWORD, std::uint32_t> {
  struct Held : HeldBase {
    DWORD value = 0;
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs& in) {
      Held held;
      held.value = std::get<I>(in);
      return held;
    }
    DWORD pass() { return value; }
  };
};

struct AddressId : Dword {};

/// How much room the caller has for an output; bounded, since the host allocates it.
struct Capacity : Dword {
  template <class C, std::size_t I>
  static In take(DesktopSide&, const typename C::Arguments& arguments) {
    return std::min<DWORD>(std::get<I>(arguments), kMaxBlock);
  }
  struct Held : Dword::Held {
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs& in) {
      if (std::get<I>(in) > kMaxBlock) malformed<C, I>("asks for more than a block may hold");
      Held held;
      held.value = std::get<I>(in);
      return held;
    }
  };
};

/// The number of bytes or entries of a counted pointer. Never sent: the worker counts what arrived.
struct Count : RoleBase<DWORD> {
  template <class C, std::size_t I, std::size_t Candidate = 0>
  static DWORD counted(const typename C::Inputs& in) {
    static_assert(Candidate < C::size, "no parameter names this count");
    using Pointer = typename C::template Role<Candidate>;
    if constexpr (requires { Pointer::counted_by; }) {
      if constexpr (Pointer::counted_by.view() == C::parameters[I]) {
        const auto& block = std::get<Candidate>(in);
        return block ? static_cast<DWORD>(block->size() / Pointer::unit) : 0;
      } else {
        return counted<C, I, Candidate + 1>(in);
      }
    } else {
      return counted<C, I, Candidate + 1>(in);
    }
  }
  struct Held : HeldBase {
    DWORD value = 0;
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs& in) {
      Held held;
      held.value = counted<C, I>(in);
      return held;
    }
    DWORD pass() { return value; }
  };
};

struct DwordOut : RoleBase<LPDWORD, Nothing, std::uint32_t> {
  template <class C, std::size_t I>
  static LONG store(DesktopSide&, const Out& out, const In&, const typename C::Arguments& arguments) {
    if (auto* slot = std::get<I>(arguments)) *slot = out;
    return 0;
  }
  struct Held : HeldBase {
    DWORD value = 0;
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs&) {
      return {};
    }
    LPDWORD pass() { return &value; }
    Out collect(VendorSide&) { return value; }
  };
};

struct LateDwordOut : DwordOut {
  static constexpr bool late = true;
};

// --- requests, handles and ids -----------------------------------------------------------------------------------

/// The request number of an asynchronous function; each end has its own, the envelope pairs them.
struct RequestId : RoleBase<DRV_REQUESTID> {
  struct Held : HeldBase {
    DRV_REQUESTID value = 0;
    template <class C, std::size_t I>
    static Held made(VendorSide& side, const typename C::Inputs&) {
      Held held;
      held.value = side.request_id();
      return held;
    }
    DRV_REQUESTID pass() { return value; }
  };
};

template <class Handle, auto ToId, auto ToHandle, bool Optional = false>
struct HandleRole : RoleBase<Handle, std::uint64_t> {
  using Base = RoleBase<Handle, std::uint64_t>;
  template <class C, std::size_t I>
  static std::uint64_t take(DesktopSide& side, const typename C::Arguments& arguments) {
    const auto handle = std::get<I>(arguments);
    if constexpr (Optional) {
      if (!handle) return 0;
    }
    return (side.*ToId)(handle);
  }
  struct Held : Base::HeldBase {
    Handle value{};
    template <class C, std::size_t I>
    static Held made(VendorSide& side, const typename C::Inputs& in) {
      Held held;
      const std::uint64_t id = std::get<I>(in);
      if (!(Optional && id == 0)) held.value = (side.*ToHandle)(id);
      return held;
    }
    Handle pass() { return value; }
  };
};

struct Line : HandleRole<HDRVLINE, &DesktopSide::line, &VendorSide::line> {};
struct LineOrNone : HandleRole<HDRVLINE, &DesktopSide::line, &VendorSide::line, true> {};
struct Phone : HandleRole<HDRVPHONE, &DesktopSide::phone, &VendorSide::phone> {};
struct Call : HandleRole<HDRVCALL, &DesktopSide::call, &VendorSide::call> {};
struct CallOrNone : HandleRole<HDRVCALL, &DesktopSide::call, &VendorSide::call, true> {};
struct MspLine : HandleRole<HDRVMSPLINE, &DesktopSide::msp_line, &VendorSide::msp_line> {};
struct LineDevice : HandleRole<DWORD, &DesktopSide::line_device, &VendorSide::line_device> {};
struct PhoneDevice : HandleRole<DWORD, &DesktopSide::phone_device, &VendorSide::phone_device> {};

/// TAPI's handle for an object that this call makes: stays on the desktop; the vendor gets a token of the worker.
template <class Handle, auto Token>
struct TokenRole : RoleBase<Handle> {
  struct Held : RoleBase<Handle>::HeldBase {
    Handle value{};
    template <class C, std::size_t I>
    static Held made(VendorSide& side, const typename C::Inputs&) {
      Held held;
      held.value = (side.*Token)();
      return held;
    }
    Handle pass() { return value; }
  };
};

struct TapiCall : TokenRole<HTAPICALL, &VendorSide::call_token> {};
struct TapiLine : TokenRole<HTAPILINE, &VendorSide::line_token> {};
struct TapiPhone : TokenRole<HTAPIPHONE, &VendorSide::phone_token> {};
struct MspToken : TokenRole<HTAPIMSPLINE, &VendorSide::msp_token> {};

/// A vendor's handle for a new object. Its token is the parameter before it or, for lines and phones, too.
template <class Slot, auto Bind, class OutT = Nothing, class InT = Nothing>
struct NewHandle : RoleBase<Slot, InT, OutT> {
  using Handle = std::remove_pointer_t<Slot>;
  struct Held : RoleBase<Slot, InT, OutT>::HeldBase {
    Handle value{};
    OutT id{};
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs&) {
      return {};
    }
    Slot pass() { return &value; }
    template <class Token>
    void bind(VendorSide& side, Token token) {
      if constexpr (kCrosses<OutT>) {
        id = (side.*Bind)(token, value);
      } else {
        (side.*Bind)(token, value);
      }
    }
    OutT collect(VendorSide&) { return id; }
  };
};

struct NewLine : NewHandle<LPHDRVLINE, &VendorSide::bind_line> {};
struct NewPhone : NewHandle<LPHDRVPHONE, &VendorSide::bind_phone> {};

/// The proxy mints the handle and sends its number; the host's id comes back with the answer.
struct NewCall : NewHandle<LPHDRVCALL, &VendorSide::bind_call, std::uint64_t, std::uint64_t> {
  static constexpr bool late = true;
  template <class C, std::size_t I>
  static In take(DesktopSide& side, const typename C::Arguments& arguments) {
    static_assert(std::is_same_v<typename C::template Role<I - 1>, TapiCall>);
    auto* slot = std::get<I>(arguments);
    return slot ? side.new_call(std::get<I - 1>(arguments), slot) : 0;
  }
  template <class C, std::size_t I>
  static LONG store(DesktopSide& side, const Out& out, const In& in, const typename C::Arguments&) {
    if (in) side.call_named(in, out);
    return 0;
  }
};

struct NewMspLine : NewHandle<LPHDRVMSPLINE, &VendorSide::bind_msp_line, std::uint64_t, std::uint64_t> {
  template <class C, std::size_t I>
  static In take(DesktopSide& side, const typename C::Arguments& arguments) {
    static_assert(std::is_same_v<typename C::template Role<I - 1>, MspToken>);
    return side.new_msp_line(std::get<I - 1>(arguments), std::get<I>(arguments));
  }
  template <class C, std::size_t I>
  static LONG store(DesktopSide& side, const Out& out, const In& in, const typename C::Arguments&) {
    side.msp_line_named(in, out);
    return 0;
  }
};

template <class Proc>
struct EventProc : RoleBase<Proc> {
  struct Held : RoleBase<Proc>::HeldBase {
    Proc value{};
    template <class C, std::size_t I>
    static Held made(VendorSide& side, const typename C::Inputs&) {
      Held held;
      if constexpr (std::is_same_v<Proc, LINEEVENT>) held.value = side.line_event();
      if constexpr (std::is_same_v<Proc, PHONEEVENT>) held.value = side.phone_event();
      return held;
    }
    Proc pass() { return value; }
  };
};

// --- text and bytes ----------------------------------------------------------------------------------------------

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

/// A block that the vendor changes; the changed block comes back before the completion.
template <FixedString Counter>
struct LateBytesInOut : RoleBase<LPVOID, Block, Block> {
  static constexpr auto counted_by = Counter;
  static constexpr std::size_t unit = 1;
  static constexpr bool late = true;
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
  };
};

// --- structures --------------------------------------------------------------------------------------------------

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
    return std::min<DWORD>(total, kMaxBlock);
  }
  template <class C, std::size_t I>
  static LONG store(DesktopSide& side, const Block& out, const std::uint32_t&,
                    const typename C::Arguments& arguments) {
    auto* structure = std::get<I>(arguments);
    if (!out || !structure) return 0;
    constexpr auto version_at = C::position("dwTSPIVersion");
    std::uint32_t version = 0;
    if constexpr (version_at < C::size) {
      version = std::get<version_at>(arguments);
    } else {
      version = side.version();
    }
    return side.store(describe<T>(), *out, structure, version);
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
    Block collect(VendorSide&) {
      if (bytes.empty()) return std::nullopt;
      std::memcpy(bytes.data(), &total, sizeof total);
      bytes.resize(std::max<std::size_t>(total, 3 * sizeof(DWORD)));
      const auto mended = clamp_output(describe<T>(), bytes, version);
      bytes.resize(mended.bytes);
      return std::move(bytes);
    }
  };
};

template <class T>
struct LateVarOut : VarOut<T> {
  static constexpr bool late = true;
};

// --- local to one end --------------------------------------------------------------------------------------------

template <class T>
struct LocalRole : RoleBase<T> {
  struct Held : RoleBase<T>::HeldBase {
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs&) {
      return {};
    }
  };
};

struct LocalDword : LocalRole<DWORD> {};
struct LocalPointer : LocalRole<DWORD_PTR> {};
struct LocalDwordOut : LocalRole<LPDWORD> {};
struct LocalBlock : LocalRole<LPVOID> {};
struct Window : LocalRole<HWND> {};
struct Provider : LocalRole<HPROVIDER> {};
struct DialogInstance : LocalRole<HDRVDIALOGINSTANCE> {};
struct UiModule : LocalRole<LPWSTR> {};

/// Icons are local to a machine: the desktop gets none and TAPI shows a generic one.
struct IconOut : RoleBase<LPHICON> {
  struct Held : HeldBase {
    HICON icon{};
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs&) {
      return {};
    }
    LPHICON pass() { return &icon; }
  };
};

/// A process handle of the desktop; a vendor gets the documented value for a remote client.
struct TargetProcess : RoleBase<HANDLE> {
  struct Held : HeldBase {
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs&) {
      return {};
    }
    HANDLE pass() { return INVALID_HANDLE_VALUE; }
  };
};

}  // namespace tsplink::wire
