// What TAPI 3 asks of a media provider (ITMSPAddress in mspaddr.h, MSP_EVENT_INFO in msp.h), without COM, so
// that an MSP half can be loaded natively: tapisim plays TAPI 3 and the application, simpbx brings an MSP.
// Owner: the loader creates an address object with create_msp_address and ends it with Shutdown and Release.
// Threads: the loader calls one address object from one thread at a time; the MSP may signal from any thread.
#pragma once

#include <tspi.h>

namespace msp {

/// Called by the MSP, from any thread, when GetEvent has something to give (the hEvent of ITMSPAddress::Initialize).
using Signal = void (*)(void* context);

/// MSP_EVENT_INFO.Event, the two that matter here (values of MSP_EVENT in msp.h).
enum Event : DWORD { ME_ADDRESS_EVENT = 0, ME_CALL_EVENT = 1, ME_TSP_DATA = 2 };

constexpr HRESULT kOk = 0;
constexpr HRESULT kNoEvent = 1;                                  // S_FALSE: nothing queued
constexpr HRESULT kMoreData = static_cast<HRESULT>(0x800700EA);  // the buffer is too small, *size says what is needed
constexpr HRESULT kInvalid = static_cast<HRESULT>(0x80070057);

/// A call object that the MSP made by CreateMSPCall; what it points at is the MSP's own.
struct CallObject;

/// One event as ITMSPAddress::GetEvent hands it out. ME_TSP_DATA: `bytes` go to TSPI_lineReceiveMSPData, for the
/// call whose htCall was `call` in CreateMSPCall (0: for the address). ME_CALL_EVENT: `bytes` are readable text for
/// the application, for example "streaming started".
struct EventInfo {
  Event event;
  DWORD_PTR call;
  const BYTE* bytes;  // valid until the next call of GetEvent on this address
  DWORD size;
};

class Address {
 public:
  virtual HRESULT Initialize(Signal signal, void* context) = 0;
  virtual HRESULT CreateMSPCall(DWORD_PTR htCall, DWORD dwMediaType, CallObject** call) = 0;
  virtual HRESULT ShutdownMSPCall(CallObject* call) = 0;
  /// Data that the TSP sent by LINE_SENDMSPDATA; `call` is null for data about the address.
  virtual HRESULT ReceiveTSPData(CallObject* call, const BYTE* buffer, DWORD size) = 0;
  virtual HRESULT GetEvent(EventInfo* info) = 0;
  /// Stands for the provider-specific COM interface that an application reaches through the MSP's objects:
  /// one line of text to the MSP of this provider.
  virtual HRESULT Command(CallObject* call, const char* text) = 0;
  virtual HRESULT Shutdown() = 0;
  virtual void Release() = 0;

 protected:
  ~Address() = default;
};

/// The factory that an MSP module exports under the name "create_msp_address" (C linkage); null: not this module's
/// CLSID.
using CreateAddress = Address* (*)(const GUID* clsid);

}  // namespace msp
