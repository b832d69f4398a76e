// The one root that a vendor's callbacks reach: C callbacks carry no context, so the handles in them must find their
// worker. Tokens are unique over all kinds and workers of the process, not zero, below 2^31 and reused late, since
// some drivers narrow handles to 32 bits. Owner: the process. Any thread; nothing here calls out under
// its lock.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "wire/tapi.hpp"

namespace tsplink::host {

/// What a worker does with its vendor's callbacks: only queues, never waits, never calls the vendor.
class CallbackSink {
 public:
  virtual ~CallbackSink() = default;
  virtual void on_completion(DWORD request, LONG result) = 0;
  /// `device` is htLine or htPhone, as a number.
  virtual void on_event(bool phone, DWORD_PTR device, DWORD_PTR call, DWORD message,
                        const DWORD_PTR (&params)[3]) = 0;
};

class Registry {
 public:
  using Sink = std::weak_ptr<CallbackSink>;
  static constexpr DWORD kDevicesPerWorker = 1U << 16U;

  static Registry& root();

  DWORD new_token(const Sink& sink) { return take(tokens_, next_token_, sink); }
  void release_token(DWORD token) { release(tokens_, token); }
  DWORD new_request(const Sink& sink) { return take(requests_, next_request_, sink); }
  void release_request(DWORD request) { release(requests_, request); }
  /// First of kDevicesPerWorker device ids for one worker's lines and as many for its phones.
  DWORD new_device_base(const Sink& sink);

  std::shared_ptr<CallbackSink> by_token(DWORD_PTR token) { return find(tokens_, token); }
  std::shared_ptr<CallbackSink> by_request(DWORD_PTR request) { return find(requests_, request); }
  std::shared_ptr<CallbackSink> by_device(DWORD_PTR device) { return find(bases_, device / kDevicesPerWorker); }

  // What the vendor is given.
  static void CALLBACK line_event(HTAPILINE htLine, HTAPICALL htCall, DWORD dwMsg, DWORD_PTR dwParam1,
                                  DWORD_PTR dwParam2, DWORD_PTR dwParam3);
  static void CALLBACK phone_event(HTAPIPHONE htPhone, DWORD dwMsg, DWORD_PTR dwParam1, DWORD_PTR dwParam2,
                                   DWORD_PTR dwParam3);
  static void CALLBACK completion(DRV_REQUESTID dwRequestID, LONG lResult);

 private:
  using Map = std::unordered_map<DWORD_PTR, Sink>;
  DWORD take(Map& map, DWORD& next, const Sink& sink);
  void release(Map& map, DWORD key);
  std::shared_ptr<CallbackSink> find(Map& map, DWORD_PTR key);

  std::mutex mutex_;
  Map tokens_;
  Map requests_;
  Map bases_;
  DWORD next_token_ = 0x1000;
  DWORD next_request_ = 1;
  DWORD next_base_ = 0;
};

}  // namespace tsplink::host
