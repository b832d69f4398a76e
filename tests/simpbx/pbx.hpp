// The simulated exchange: its devices and calls, what happens to them, and what TAPI is told of it.
// Owner: the module's root pointer (entry.cpp), from the first entry until providerShutdown. Threads: any; every
// function but the constructor and destructor is called with mutex() held.
#pragma once

#include <atomic>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>

#include "tests/simpbx/config.hpp"
#include "tests/simpbx/courier.hpp"
#include "tests/simpbx/log.hpp"
#include "tests/simpbx/model.hpp"

namespace tsplink::simpbx {

class ControlServer;

class Pbx {
 public:
  explicit Pbx(Config configuration);
  ~Pbx();

  std::mutex& mutex() { return mutex_; }
  bool has(Habit habit) const { return config.habits.has(habit); }

  // Look-ups; each throws the Refusal that TSPI foresees.
  LinePtr line(HDRVLINE hdLine) const;
  LinePtr line_of_device(DWORD dwDeviceID) const;
  CallPtr call(HDRVCALL hdCall, DWORD refusal = LINEERR_INVALCALLHANDLE) const;
  PhonePtr phone(HDRVPHONE hdPhone) const;
  PhonePtr phone_of_device(DWORD dwDeviceID) const;
  Address& address(Line& line, DWORD dwAddressID) const;
  void need_initialized() const;
  static void need_state(const Call& call, DWORD states, DWORD refusal = LINEERR_INVALCALLSTATE);
  static void need_media(DWORD media);
  CallPtr call_by_number(unsigned number) const;  // null: none
  LinePtr line_by_number(unsigned number) const;
  PhonePtr phone_by_number(unsigned number) const;
  LinePtr line_by_address(const Text& number) const;

  // Devices.
  LinePtr add_line();
  PhonePtr add_phone();
  std::uintptr_t new_handle();
  void open_line(const LinePtr& line, HTAPILINE htLine, DWORD version, LINEEVENT event);
  void close_line(const LinePtr& line);
  void media_detection(const LinePtr& line, DWORD modes);

  // Calls.
  CallPtr new_call(const LinePtr& line, DWORD address_id, HTAPICALL htCall);  // htCall null: not known to TAPI yet
  CallPtr incoming(const LinePtr& line, DWORD address_id, Party from, DWORD media, DWORD reason);
  void set_state(const CallPtr& call, DWORD state, DWORD_PTR mode = 0);
  void connect(const CallPtr& call, DWORD mode = LINECONNECTEDMODE_ACTIVE);
  void answer(const CallPtr& call);
  void dial(const CallPtr& call, const Text& number);
  void progress(const CallPtr& call, std::deque<std::pair<DWORD, DWORD>> steps);
  void drop(const CallPtr& call);                            // this side ends it
  void far_end(const CallPtr& call, DWORD disconnect_mode);  // the other side ends it
  void join(const CallPtr& one, const CallPtr& other);       // connects the far ends, as a completed transfer does
  void close_call(const CallPtr& call);
  void forget(const CallPtr& call);
  void announce(const CallPtr& call);
  void announce_all(const LinePtr& line);
  void far_digit(const CallPtr& call, WCHAR digit, DWORD mode);
  void far_user_user(const CallPtr& call, Bytes bytes);
  DWORD features(const Call& call) const;
  DWORD features2(const Call& call) const;
  unsigned count(const Line& line, DWORD states) const;

  // Telling TAPI.
  void line_event(const LinePtr& line, LONG message, DWORD_PTR p1, DWORD_PTR p2 = 0, DWORD_PTR p3 = 0);
  void call_event(const CallPtr& call, LONG message, DWORD_PTR p1, DWORD_PTR p2 = 0, DWORD_PTR p3 = 0);
  void phone_event(const PhonePtr& phone, LONG message, DWORD_PTR p1, DWORD_PTR p2 = 0, DWORD_PTR p3 = 0);
  void call_info(const CallPtr& call, DWORD states) { call_event(call, LINE_CALLINFO, states); }
  void line_state(const LinePtr& line, DWORD states, DWORD_PTR p2 = 0, DWORD_PTR p3 = 0);  // only if asked for
  void address_state(const LinePtr& line, DWORD address_id, DWORD states);
  void phone_state(const PhonePtr& phone, DWORD state, DWORD_PTR detail = 0);
  void log(const std::string& text) { log_file.write(text); }

  // The private exchange with the MSP half (pbx_msp.cpp).
  void start_streaming(const CallPtr& call);
  void send_msp(const LinePtr& line, const CallPtr& call, HTAPIMSPLINE instance, Bytes bytes);
  std::string send_pattern(const LinePtr& line, const CallPtr& call, HTAPIMSPLINE instance, DWORD size, DWORD seed,
                           DWORD blocks, bool echo);
  void receive_msp(const LinePtr& line, const CallPtr& call, const MspInstance& from, const BYTE* bytes, DWORD size);
  bool has_msp(const Line& line) const;

  // Media (line_media.cpp).
  void end_gather(const CallPtr& call, DWORD reason);
  void end_generate(const CallPtr& call, DWORD reason);
  void stop_media(const CallPtr& call);  // without a word to TAPI: its handle and buffers are gone

  Config config;
  Log log_file{"pbx"};

 private:
  std::mutex mutex_;

 public:
  Courier courier;

  // What TAPI gave at its entry points.
  bool initialized = false;
  DWORD permanent_provider_id = 0;
  DWORD tspi_version = 0;
  HPROVIDER hProvider = nullptr;
  LINEEVENT create_line = nullptr;
  PHONEEVENT create_phone = nullptr;

  std::map<unsigned, LinePtr> lines;
  std::map<unsigned, PhonePtr> phones;
  std::map<unsigned, CallPtr> calls;
  std::map<std::uintptr_t, LinePtr> line_handles;
  std::map<std::uintptr_t, CallPtr> call_handles;
  std::map<std::uintptr_t, PhonePtr> phone_handles;
  std::map<std::uintptr_t, MspInstance> msp_instances;
  std::map<Text, CallPtr> parked;  // by the address where they are parked

  std::atomic<int> inside{0};
  std::atomic<unsigned> reentered{0};
  std::map<std::string, unsigned> meetings;                 // how many scenarios came to each place
  std::map<std::string, unsigned> entered;                  // how often each function was called
  std::map<std::string, std::pair<LONG, unsigned>> faults;  // asked for on the control channel: error, how often
  DWORD_PTR dialogs = 0;
  std::unique_ptr<ControlServer> control;

 private:
  void bound(const CallPtr& call);
  void update_counts(const LinePtr& line, DWORD address_id);
  void release_resources(const CallPtr& call);

  unsigned next_call_ = 0;
  std::uintptr_t next_handle_ = 0;
  std::map<Line*, unsigned> last_count_;
};

/// A handle of any kind as the number it is.
template <class Handle>
std::uintptr_t number_of(Handle handle) {
  return reinterpret_cast<std::uintptr_t>(handle);
}
template <class Handle>
Handle handle_of(std::uintptr_t number) {
  return reinterpret_cast<Handle>(number);
}

Text number_text(std::uintptr_t number);

constexpr DWORD kLiveStates =
    ~static_cast<DWORD>(LINECALLSTATE_IDLE | LINECALLSTATE_DISCONNECTED);  // state 0 is not live either
constexpr DWORD kOnHoldStates =
    LINECALLSTATE_ONHOLD | LINECALLSTATE_ONHOLDPENDCONF | LINECALLSTATE_ONHOLDPENDTRANSFER;
constexpr DWORD kMediaModes = LINEMEDIAMODE_UNKNOWN | LINEMEDIAMODE_INTERACTIVEVOICE | LINEMEDIAMODE_AUTOMATEDVOICE |
                              LINEMEDIAMODE_DATAMODEM | LINEMEDIAMODE_G3FAX | LINEMEDIAMODE_DIGITALDATA |
                              LINEMEDIAMODE_VIDEO;
constexpr DWORD kDigitModes = LINEDIGITMODE_PULSE | LINEDIGITMODE_DTMF | LINEDIGITMODE_DTMFEND;

}  // namespace tsplink::simpbx
