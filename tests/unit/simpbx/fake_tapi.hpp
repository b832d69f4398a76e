// A minimal TAPISRV for one TSP: loads simpbx.tsp, keeps everything it is told, and can be waited on.
// Owner: a test. Threads: the test's; callbacks come from the TSP's thread and only record, under mutex_.
#pragma once

#include <gtest/gtest.h>
#include <tspi.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/platform/files.hpp"
#include "tests/platform/process.hpp"
#include "tests/platform/socket.hpp"

/// TAPI's characters.
#ifdef _WIN32
#define WIDE(text) L##text
#else
#define WIDE(text) u##text
#endif

namespace tsplink::simpbx_test {

using Text = std::basic_string<WCHAR>;

struct Told {
  enum Kind { completion, line, phone } kind = completion;
  std::uintptr_t device = 0, call = 0;
  DWORD message = 0;  // or the request id
  DWORD_PTR p1 = 0, p2 = 0, p3 = 0;
  LONG result = 0;
  std::vector<BYTE> bytes{};  // of LINE_SENDMSPDATA
  std::thread::id thread{};
};

class FakeTapi {
 public:
  /// Starts the provider; `config` is the text of its configuration.
  explicit FakeTapi(const std::string& config = "");
  ~FakeTapi();
  FakeTapi(const FakeTapi&) = delete;
  FakeTapi& operator=(const FakeTapi&) = delete;

  template <class Function>
  Function* find(const char* name) const {
    return reinterpret_cast<Function*>(symbol(name));
  }
  /// Opens a line (from 0), sets all status messages and media detection.
  HDRVLINE open(DWORD device, DWORD media = LINEMEDIAMODE_INTERACTIVEVOICE, DWORD version = 0x00030001);
  std::string control(const std::string& command);

  bool wait(const std::function<bool(const std::vector<Told>&)>& condition);
  LONG result(DRV_REQUESTID request);              // waits for the completion
  bool state(std::uintptr_t htCall, DWORD state);  // waits for LINE_CALLSTATE
  HDRVCALL new_call();                             // waits for the next LINE_NEWCALL; htCall follows in last_htCall
  std::vector<Told> told();
  std::size_t position(const std::function<bool(const Told&)>& what);  // npos when not told
  std::string log_text();

  DRV_REQUESTID next_request = 100;
  std::uintptr_t last_htCall = 0;
  LONG init_result = -1;
  DWORD options = 0xAAAAAAAA;
  DWORD lines = 0, phones = 0;
  // Plays TAPI's answers.
  int refuse_new_calls = 0;  // so many LINE_NEWCALL get NULL
  /// Called inside each callback. Setting another waits for the callback that runs.
  class Hook {
   public:
    Hook& operator=(std::function<void(const Told&)> hook) {
      const std::scoped_lock lock(mutex_);
      hook_ = std::move(hook);
      return *this;
    }
    void operator()(const Told& told) {
      const std::scoped_lock lock(mutex_);
      if (hook_) hook_(told);
    }

   private:
    std::recursive_mutex mutex_;  // a callback inside a callback is on the same thread
    std::function<void(const Told&)> hook_;
  };
  Hook during;

  static HTAPILINE htLine(DWORD device) { return reinterpret_cast<HTAPILINE>(handle(0x6600, device)); }
  static HTAPICALL htCall(unsigned n) { return reinterpret_cast<HTAPICALL>(handle(0x7700, n)); }
  static HTAPIPHONE htPhone(DWORD device) { return reinterpret_cast<HTAPIPHONE>(handle(0x0800, device)); }

  static void CALLBACK completed(DRV_REQUESTID request, LONG result);
  static void CALLBACK line_event(HTAPILINE line, HTAPICALL call, DWORD message, DWORD_PTR p1, DWORD_PTR p2,
                                  DWORD_PTR p3);
  static void CALLBACK phone_event(HTAPIPHONE phone, DWORD message, DWORD_PTR p1, DWORD_PTR p2, DWORD_PTR p3);

 private:
  /// With the kind in its upper half, so that a narrowed handle is noticed.
  static std::uintptr_t handle(std::uintptr_t kind, std::uintptr_t number) {
    return (kind << (sizeof(void*) * 4)) + 0x1000 + number * 0x10;
  }
  void* symbol(const char* name) const;
  void record(Told told);

  tests::TemporaryFolder folder_;
  std::optional<tests::Module> module_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Told> told_;
  std::map<std::uintptr_t, std::uintptr_t> new_calls_;  // hdCall -> htCall
  std::size_t taken_calls_ = 0;
  unsigned next_call_ = 500;
  std::optional<tests::LoopbackSocket> socket_;
  std::string buffer_;
};

}  // namespace tsplink::simpbx_test

/// A TSPI function of the module by its name, with its type from tspi.h.
#define TSPI(tapi, name) (*(tapi).find<decltype(TSPI_##name)>("TSPI_" #name))
