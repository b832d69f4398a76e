#include "random_scenario.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace tsplink::conformance {

namespace {

enum class State { offering, connected, held };

struct Call {
  std::string name;
  std::size_t line;
  State state;
  std::string far = {};  // what the PBX calls the far side, of an incoming call
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::string text() {
    say("wait lines 4");
    say("open line 1 as l0");
    say("open line 2 as l1");
    for (int step = 0; step < kSteps; ++step) one_step();
    while (!calls_.empty()) drop(calls_.size() - 1);
    for (std::size_t line = 0; line < kLines; ++line) settle(line);
    say("close l0");
    say("close l1");
    return text_;
  }

 private:
  static constexpr int kSteps = 40;
  static constexpr std::size_t kLines = 2;
  static constexpr std::size_t kMostCalls = 5;

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  void say(const std::string& line) { text_ += line + "\n"; }
  static std::string line_name(std::size_t line) { return "l" + std::to_string(line); }
  std::string block(std::uint64_t most = 20000) {
    return "pattern:" + std::to_string(1 + below(most)) + ":" + std::to_string(below(1000));
  }
  void completes(const std::string& with = "0") { say("expect completion " + with); }

  void one_step() {
    if (calls_.empty() || (calls_.size() < kMostCalls && below(5) == 0)) return start(below(kLines));
    const auto at = static_cast<std::size_t>(below(calls_.size()));
    switch (below(9)) {
      case 0: return drop(at);
      case 1: return hang_up(at);
      case 2:
      case 3: return change(at);
      case 4: return ask(calls_[at]);
      case 5: return exchange(calls_[at]);
      case 6: return dial_digits(calls_[at]);
      case 7: return refused(calls_[at]);
      default: return set(calls_[at]);
    }
  }

  bool has_active(std::size_t line) const {
    return std::any_of(calls_.begin(), calls_.end(),
                       [&](const Call& call) { return call.line == line && call.state == State::connected; });
  }

  void start(std::size_t line) {
    constexpr auto kMostOfALine = 3;  // the PBX refuses the fifth
    if (std::count_if(calls_.begin(), calls_.end(), [&](const Call& call) { return call.line == line; }) >=
        kMostOfALine) {
      return;
    }
    Call call{"c" + std::to_string(++made_), line, State::offering};
    if (below(2) == 0 || has_active(line)) {
      call.far = "far" + std::to_string(made_);
      say("pbx incoming line=" + std::to_string(line + 1) + " from=+4930" + std::to_string(below(1000000)) + " as " +
          call.far);
      say("expect LINE_NEWCALL on " + line_name(line) + " as " + call.name);
      say("expect LINE_CALLSTATE OFFERING on " + call.name);
    } else {
      say("call lineMakeCall " + line_name(line) + " lpszDestAddress=\"+4940" + std::to_string(below(100000)) +
          "\" dwCountryCode=" + std::to_string(below(100)) + " as " + call.name);
      say("expect completion 0 of " + call.name);
      connected(call);
    }
    calls_.push_back(call);
  }

  void connected(Call& call) {
    say("expect LINE_CALLSTATE CONNECTED on " + call.name);
    say("expect LINE_CALLINFO CONNECTEDID on " + call.name);
    call.state = State::connected;
  }

  /// The next state that a call may have: an offered one is answered, a connected one held, a held one taken back.
  void change(std::size_t at) {
    auto& call = calls_[at];
    if (call.state == State::connected) {
      say("call lineHold " + call.name);
      completes();
      say("expect LINE_CALLSTATE ONHOLD on " + call.name);
      call.state = State::held;
    } else if (!has_active(call.line)) {
      const bool offered = call.state == State::offering;
      say(std::string("call ") + (offered ? "lineAnswer " : "lineUnhold ") + call.name);
      completes();
      if (offered) return connected(call);
      say("expect LINE_CALLSTATE CONNECTED on " + call.name);
      call.state = State::connected;
    }
  }

  void drop(std::size_t at) {
    const auto name = calls_[at].name;
    say("call lineDrop " + name + " lpsUserUserInfo=x:0102");
    completes();
    ended(at);
  }

  void hang_up(std::size_t at) {
    const auto& call = calls_[at];
    if (call.far.empty() || call.state == State::offering) return;
    say("pbx hangup call=$" + call.far + ".call");
    say("expect LINE_CALLSTATE DISCONNECTED on " + call.name);
    drop(at);
  }

  void ended(std::size_t at) {
    say("expect LINE_CALLSTATE IDLE on " + calls_[at].name);
    say("close " + calls_[at].name);
    calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  void ask(const Call& call) {
    static constexpr std::array kQuestions = {"lineGetCallInfo", "lineGetCallStatus", "lineGetCallIDs",
                                              "lineGetCallAddressID"};
    say(std::string("call ") + kQuestions[below(kQuestions.size())] + " " + call.name);
    const auto line = line_name(call.line);
    say(below(2) == 0 ? "call lineGetAddressStatus " + line + " dwAddressID=0" : "call lineGetLineDevStatus " + line);
  }

  void exchange(const Call& call) {
    const auto line = line_name(call.line);
    if (below(3) == 0) {
      say("call lineDevSpecificFeature " + line + " dwFeature=" + std::to_string(1 + below(20)) +
          " lpParams=" + block());
    } else {
      say("call lineDevSpecific " + line + (below(2) == 0 ? " hdCall=" + call.name : "") +
          " dwAddressID=0 lpParams=" + block());
    }
    completes();
  }

  void dial_digits(const Call& call) {
    if (call.state != State::connected) return;
    const auto id = std::to_string(1 + below(60000));
    say("call lineGenerateDigits " + call.name + " dwEndToEndID=" + id +
        " dwDigitMode=LINEDIGITMODE_DTMF lpszDigits=\"" + std::to_string(below(100000)) + "\" dwDuration=80");
    say("expect LINE_GENERATE DONE on " + call.name + " dwEndToEndID=" + id);
  }

  void set(const Call& call) {
    if (below(2) == 0) {
      say("call lineSetAppSpecific " + call.name + " dwAppSpecific=" + std::to_string(below(1U << 31)));
      say("expect LINE_CALLINFO APPSPECIFIC on " + call.name);
    } else {
      say("call lineSetCallData " + call.name + " lpCallData=" + block(4096));
      completes();
      say("expect LINE_CALLINFO CALLDATA on " + call.name);
    }
  }

  /// A refusal at once is a completion at that moment, so everything before it has to have come.
  void refused(const Call& call) {
    static constexpr std::array kErrors = {"LINEERR_RESOURCEUNAVAIL", "LINEERR_NOMEM", "LINEERR_OPERATIONUNAVAIL",
                                           "LINEERR_INVALCALLSTATE"};
    settle(call.line);
    const std::string error = kErrors[below(kErrors.size())];
    say("pbx fail lineHold error=" + error);
    say("call lineHold " + call.name);
    completes(error);
  }

  void settle(std::size_t line) {
    say("call lineDevSpecific " + line_name(line) + " dwAddressID=0 lpParams=x:00");
    completes();
  }

  std::mt19937_64 random_;
  std::string text_;
  std::vector<Call> calls_;
  int made_ = 0;
};

}  // namespace

std::string random_scenario(std::uint64_t seed) { return Generator(seed).text(); }

}  // namespace tsplink::conformance
