// Roles of values: numbers, handles and what TAPI gives with them. See wire/roles.hpp for what a role is and who uses
// it.
#pragma once

#include "wire/faults.hpp"
#include "wire/role_base.hpp"

namespace tsplink::wire {

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

/// A number by which the request's events come back (dwEndToEndID, dwToneListID). Each application has its own, so
/// the host gives the vendor one that no other desktop has, and puts the desktop's back into the events.
struct EventTag : Dword {};
/// Where a function has it; its size: nowhere.
template <class C>
constexpr std::size_t event_tag_of() {
  std::size_t found = C::size;
  for_each_parameter<C>([&](auto at) {
    if (std::is_same_v<typename C::template Role<at.value>, EventTag>) found = at.value;
  });
  return found;
}

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
        const DWORD count = block ? static_cast<DWORD>(block->size() / Pointer::unit) : 0;
        return has(Fault::short_count) && count != 0 ? count - 1 : count;
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

/// dwSelect: which of the function's line, address and call is meant. One that is not there is never passed on as the
/// one that is meant; a choice that TAPI does not have is the vendor's to refuse.
struct CallSelect : Dword {
  struct Held : Dword::Held {
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs& in) {
      Held held;
      held.value = std::get<I>(in);
      if (held.value == LINECALLSELECT_CALL && std::get<C::position("hdCall")>(in) == 0)
        missing(LINEERR_INVALCALLHANDLE);
      const bool by_line = held.value == LINECALLSELECT_LINE || held.value == LINECALLSELECT_ADDRESS;
      if (by_line && std::get<C::position("hdLine")>(in) == 0) missing(LINEERR_INVALLINEHANDLE);
      return held;
    }
    [[noreturn]] static void missing(std::uint32_t error) {
      throw Failure(Kind::NoSuchObject, "dwSelect names an object that is not there", static_cast<LONG>(error));
    }
  };
};

struct LateDwordOut : DwordOut {
  static constexpr bool late = true;
};

/// dwCallID and dwRelatedCallID, by which TAPI groups a provider's calls.
struct CallIdOut : DwordOut {
  struct Held : DwordOut::Held {
    template <class C, std::size_t I>
    static Held made(VendorSide&, const typename C::Inputs&) {
      return {};
    }
    Out collect(VendorSide& side) { return side.call_id(value); }
  };
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

/// Unknown: the error for a handle that does not exist where it is not the one of its kind.
template <class Handle, auto ToId, auto ToHandle, bool Optional = false, std::uint32_t Unknown = 0>
struct HandleRole : RoleBase<Handle, std::uint64_t> {
  using Base = RoleBase<Handle, std::uint64_t>;
  static constexpr auto unknown = static_cast<LONG>(Unknown);
  template <class Find>
  static auto found(Find&& find) {
    try {
      return find();
    } catch (const Failure& failure) {
      if (unknown == 0 || failure.kind() != Kind::NoSuchObject) throw;
      throw Failure(Kind::NoSuchObject, failure.what(), unknown);
    }
  }
  template <class C, std::size_t I>
  static std::uint64_t take(DesktopSide& side, const typename C::Arguments& arguments) {
    const auto handle = std::get<I>(arguments);
    if constexpr (Optional) {
      if (!handle) return 0;
    }
    return found([&] { return (side.*ToId)(handle); });
  }
  struct Held : Base::HeldBase {
    Handle value{};
    template <class C, std::size_t I>
    static Held made(VendorSide& side, const typename C::Inputs& in) {
      Held held;
      const std::uint64_t id = std::get<I>(in);
      if (!(Optional && id == 0)) held.value = found([&] { return (side.*ToHandle)(id); });
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
struct ConferenceCall
    : HandleRole<HDRVCALL, &DesktopSide::call, &VendorSide::call, false, LINEERR_INVALCONFCALLHANDLE> {};
struct ConsultCall
    : HandleRole<HDRVCALL, &DesktopSide::call, &VendorSide::call, false, LINEERR_INVALCONSULTCALLHANDLE> {};
struct MspLine : HandleRole<HDRVMSPLINE, &DesktopSide::msp_line, &VendorSide::msp_line> {};
struct DialogInstance : HandleRole<HDRVDIALOGINSTANCE, &DesktopSide::dialog, &VendorSide::dialog> {};
struct LineDevice : HandleRole<DWORD, &DesktopSide::line_device, &VendorSide::line_device> {};
struct PhoneDevice : HandleRole<DWORD, &DesktopSide::phone_device, &VendorSide::phone_device> {};

/// dwObjectID of a dialog's question: a device id, the provider's, or a dialog instance, as dwObjectType says.
struct DialogObject : RoleBase<DWORD_PTR, std::uint64_t> {
  template <class C>
  static constexpr std::size_t type_at() {
    return C::position("dwObjectType");
  }
  template <class C, std::size_t I>
  static In take(DesktopSide& side, const typename C::Arguments& arguments) {
    return side.dialog_object(std::get<type_at<C>()>(arguments), std::get<I>(arguments));
  }
  struct Held : HeldBase {
    DWORD_PTR value = 0;
    template <class C, std::size_t I>
    static Held made(VendorSide& side, const typename C::Inputs& in) {
      Held held;
      held.value = side.dialog_object(std::get<type_at<C>()>(in), std::get<I>(in));
      return held;
    }
    DWORD_PTR pass() { return value; }
  };
};

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

/// A call that the function may decide not to make. TAPI has to know when the function returns, so the host says it
/// then, in a Reply before the Completion; 0: there is none.
struct NewCallOrNone : NewCall {
  static constexpr bool told_at_return = true;
};
template <class Role>
inline constexpr bool kMakesCall = std::is_base_of_v<NewCall, Role>;

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

}  // namespace tsplink::wire
