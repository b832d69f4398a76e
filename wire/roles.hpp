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

#include "wire/block_roles.hpp"
#include "wire/device_ids.hpp"
#include "wire/structure_roles.hpp"
#include "wire/value_roles.hpp"

namespace tsplink::wire {

// Local to one end: nothing of these crosses.

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
struct Window : LocalRole<HWND> {};
struct Provider : LocalRole<HPROVIDER> {};
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
