// What a test or demo may choose about the simulated PBX: sizes, names, versions, delays and bad habits.
// TSPI passes no configuration, so it is read from the text file that SIMPBX_CONFIG names (`key = value` lines).
// Owner: the Pbx, which reads it once when the provider is first entered. Threads: never changes after that.
#pragma once

#include <tspi.h>

#include <bitset>
#include <map>
#include <stdexcept>
#include <string>

namespace tsplink::simpbx {

/// Bad habits that real TSPs have; none by default. The numbers are the rules in the project's TSPI rules.
enum class Habit {
  complete_in_call,          // 1.2 ASYNC_COMPLETION on the caller's thread before the function returns
  completion_before_output,  // 1.3 completes a call-starting function before it writes the call handle
  error_then_id,             // 1.2 completes with an error, then still returns the positive request id
  refuse_late,               // refuses by completion what could be refused at once
  complete_on_close,         // lineMakeCall is completed only by lineCloseCall or lineClose
  events_before_completion,  // events about a new call come before its completion
  events_in_call,            // with complete_in_call: those events come before the return as well
  app_handles,               // returns TAPI's htLine, htCall and htPhone as its own handles
  call_is_line,              // the first call of a line has the line's handle value
  narrow_handles,            // keeps handles in 32 bits, and gives a slot of 4 bytes with LINE_NEWCALL
  newcall_no_retry,          // rejects the call when LINE_NEWCALL left its slot NULL
  used_too_small,            // dwUsedSize is smaller than the fixed part
  write_past_used,           // bytes are written past dwUsedSize
  needed_changes,            // dwNeededSize differs from call to call
  nothing_written,           // success although the structure was left as it was
  options_unset,             // *lpdwTSPIOptions is never written
  announce_early,            // announces calls as soon as the line is open, retries 10 times every 250 ms
  nonreentrant,              // sets LINETSPIOPTION_NONREENTRANT and reports every concurrent entry
  init_once,                 // a second providerInit after providerShutdown fails while the module stays loaded
  block_open,                // lineOpen waits block_ms
  block_close_call,          // lineCloseCall waits block_ms
  locked_callback,           // holds its lock while it calls back
  kCount
};

/// The name of a habit as the configuration spells it.
const char* habit_name(Habit habit);

class Habits {
 public:
  bool has(Habit habit) const { return set_[static_cast<std::size_t>(habit)]; }
  void add(Habit habit) { set_[static_cast<std::size_t>(habit)] = true; }
  void clear() { set_.reset(); }
  /// Adds a comma list of names; throws ConfigError with a sentence for an unknown one.
  void add_list(const std::string& list);
  std::string text() const;

 private:
  std::bitset<static_cast<std::size_t>(Habit::kCount)> set_;
};

struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Config {
  unsigned lines = 4;
  unsigned phones = 2;
  unsigned addresses_per_line = 1;
  unsigned first_address = 1001;
  DWORD first_permanent_id = 0x5B001000;
  DWORD version_low = 0x00020000;
  DWORD version_high = 0x00030001;
  unsigned completion_delay_ms = 0;     // each asynchronous request waits so long before it is carried out
  unsigned step_ms = 0;                 // between DIALING, PROCEEDING, RINGBACK, CONNECTED
  unsigned no_answer_ms = 200;          // numbers 5554...: ringing so long
  unsigned announce_after_ms = 50;      // existing calls are announced so long after lineSetDefaultMediaDetection
  unsigned announce_unasked_ms = 2000;  // and so long after lineOpen, when no detection was ever set; 0: never
  unsigned newcall_retry_ms = 250;
  unsigned newcall_retries = 10;
  unsigned init_ms = 0;      // how long providerInit takes
  unsigned shutdown_ms = 0;  // and providerShutdown, which the end of the process waits for
  unsigned block_ms = 1000;  // for the habits block_open and block_close_call
  unsigned linger_ms = 0;    // every function stays in the provider so long (widens races on purpose)
  bool msp = true;
  bool closedrop = false;
  bool forward_consult = false;  // lineForward starts a consultation call
  std::string provider = "simpbx";
  std::string line_name = "simpbx line";
  std::string phone_name = "simpbx phone";
  std::string dial_modifiers = "W";               // which of W @ $ a dial string may hold
  std::map<std::string, std::string> per_device;  // "line.2.name", "line.2.address", "phone.1.name"
  Habits habits;
};

/// Parses `key = value` lines; '#' starts a comment. Throws ConfigError with a sentence naming the line.
Config parse_config(const std::string& text);

/// The file named by SIMPBX_CONFIG, or the defaults when it names none.
Config load_config();

/// An environment variable, or "" when it is not set.
std::string environment(const char* name);

}  // namespace tsplink::simpbx
