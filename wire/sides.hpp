// What the roles ask of the two ends: the proxy turns TAPI's handles into host-wide ids (DesktopSide), the worker
// turns ids into the vendor's handles (VendorSide). One object serves one call of a function and belongs to its
// thread. Every function throws Failure with the TSPI error to answer when it does not know the object.
#pragma once

#include "wire/tapi.hpp"

#include <cstdint>
#include <span>

#include "wire/structures.hpp"

namespace tsplink::wire {

/// "No device" and "no terminal" in the arrays of lineGetID and phoneGetID.
inline constexpr std::uint32_t kNoDevice = 0xFFFFFFFF;

class DesktopSide {
 public:
  virtual ~DesktopSide() = default;
  virtual std::uint64_t line(HDRVLINE handle) = 0;
  virtual std::uint64_t phone(HDRVPHONE handle) = 0;
  virtual std::uint64_t call(HDRVCALL handle) = 0;
  virtual std::uint64_t msp_line(HDRVMSPLINE handle) = 0;
  virtual std::uint64_t dialog(HDRVDIALOGINSTANCE handle) = 0;
  /// The id of what a TUISPIDLL_OBJECT_ type names; for the provider itself, one of its devices.
  virtual std::uint64_t dialog_object(DWORD type, DWORD_PTR object) = 0;
  virtual std::uint64_t line_device(DWORD device) = 0;
  virtual std::uint64_t phone_device(DWORD device) = 0;
  /// Mints a call handle, writes it into `slot`, and returns its number, by which call_named() finds it again.
  virtual std::uint64_t new_call(HTAPICALL htCall, LPHDRVCALL slot) = 0;
  /// The host's id of a call minted before; 0: the host made none.
  virtual void call_named(std::uint64_t minted, std::uint64_t id) = 0;
  virtual std::uint64_t new_msp_line(HTAPIMSPLINE token, LPHDRVMSPLINE slot) = 0;
  virtual void msp_line_named(std::uint64_t minted, std::uint64_t id) = 0;
  /// The id of the device with this permanent id; kNoDevice: this desktop has none.
  virtual DWORD device_with(bool phone, std::uint32_t permanent) = 0;
  /// TSPI version that was negotiated for the object that was asked for last.
  virtual std::uint32_t version() const = 0;
  /// Writes a structure from the host into TAPI's buffer, with what names a device rewritten for this desktop. The
  /// vendor laid it out for `source_version`; 0: for the version that host and vendor agreed on for the device.
  virtual LONG store(const StructureDescription& description, std::span<const std::uint8_t> source, void* destination,
                     std::uint32_t version, std::uint32_t source_version) = 0;
};

class VendorSide {
 public:
  virtual ~VendorSide() = default;
  virtual HDRVLINE line(std::uint64_t id) = 0;
  virtual HDRVPHONE phone(std::uint64_t id) = 0;
  virtual HDRVCALL call(std::uint64_t id) = 0;
  virtual HDRVMSPLINE msp_line(std::uint64_t id) = 0;
  virtual HDRVDIALOGINSTANCE dialog(std::uint64_t id) = 0;
  virtual DWORD_PTR dialog_object(DWORD type, std::uint64_t id) = 0;
  virtual DWORD line_device(std::uint64_t id) = 0;
  virtual DWORD phone_device(std::uint64_t id) = 0;
  /// A handle of our own for the vendor to name the object by.
  virtual HTAPICALL call_token() = 0;
  virtual HTAPILINE line_token() = 0;
  virtual HTAPIPHONE phone_token() = 0;
  virtual HTAPIMSPLINE msp_token() = 0;
  /// The vendor's handle for an object, as soon as its function has returned; gives the host-wide id.
  virtual std::uint64_t bind_call(HTAPICALL token, HDRVCALL handle) = 0;
  virtual void bind_line(HTAPILINE token, HDRVLINE handle) = 0;
  virtual void bind_phone(HTAPIPHONE token, HDRVPHONE handle) = 0;
  virtual std::uint64_t bind_msp_line(HTAPIMSPLINE token, HDRVMSPLINE handle) = 0;
  /// The permanent id of one of the vendor's devices, or kNoDevice.
  virtual std::uint32_t permanent_of(bool phone, DWORD device) = 0;
  /// The line that an element of the vendor's array with one element for each line is about, by permanent id.
  virtual std::uint32_t permanent_of_line(std::size_t index, std::size_t count) = 0;
  /// The number by which desktops know the vendor's dwCallID; 0, "none", stays 0.
  virtual std::uint32_t call_id(std::uint32_t vendors) = 0;
  virtual DRV_REQUESTID request_id() = 0;
  virtual LINEEVENT line_event() = 0;
  virtual PHONEEVENT phone_event() = 0;
  virtual std::uint32_t version() const = 0;
};

}  // namespace tsplink::wire
