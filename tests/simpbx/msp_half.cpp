// The MSP half of simpbx, loaded into the application's process (msp::Address of tests/msp/msp.hpp). It starts its
// streams when the TSP says so, checks and returns pattern blocks, and sends blocks of its own when it is told to.
// Owner: the loader, from create_msp_address to Release. Threads: one at a time, as TAPI 3 calls it.
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <sstream>

#include "tests/msp/msp.hpp"
#include "tests/simpbx/log.hpp"
#include "tests/simpbx/msp_protocol.hpp"

#ifdef _WIN32
#undef DECLSPEC_EXPORT
#define DECLSPEC_EXPORT __declspec(dllexport)
#endif

namespace msp {

struct CallObject {
  DWORD_PTR htCall = 0;
  DWORD media = 0;
  bool streaming = false;
  tsplink::simpbx::MspTraffic traffic;
};

}  // namespace msp

namespace tsplink::simpbx {
namespace {

class MspAddress final : public msp::Address {
 public:
  HRESULT Initialize(msp::Signal signal, void* context) override {
    if (!signal) return msp::kInvalid;
    signal_ = signal;
    context_ = context;
    log_.write("address initialized");
    return msp::kOk;
  }

  HRESULT CreateMSPCall(DWORD_PTR htCall, DWORD dwMediaType, msp::CallObject** call) override {
    if (!call) return msp::kInvalid;
    auto object = std::make_unique<msp::CallObject>();
    object->htCall = htCall;
    object->media = dwMediaType;
    *call = object.get();
    log_.write("call " + hex(htCall) + " created, media " + hex(dwMediaType));
    calls_[object.get()] = std::move(object);
    return msp::kOk;
  }

  HRESULT ShutdownMSPCall(msp::CallObject* call) override {
    const auto found = calls_.find(call);
    if (found == calls_.end()) return msp::kInvalid;
    if (call->streaming) log_.write("call " + hex(call->htCall) + ": streaming stopped");
    log_.write("call " + hex(call->htCall) + " shut down");
    calls_.erase(found);
    return msp::kOk;
  }

  HRESULT ReceiveTSPData(msp::CallObject* call, const BYTE* buffer, DWORD size) override {
    if ((call && !calls_.contains(call)) || (size > 0 && !buffer)) return msp::kInvalid;
    MspTraffic& traffic = call ? call->traffic : traffic_;
    std::string why;
    const auto message = decode(buffer, size, &why);
    if (!message) {
      ++traffic.foreign;
      log_.write(name(call) + ": " + std::to_string(size) + " bytes from the TSP: " + why);
      return msp::kOk;
    }
    log_.write(name(call) + ": message " + std::to_string(static_cast<unsigned>(message->type)) + " sequence " +
               std::to_string(message->sequence) + " with " + std::to_string(message->payload.size()) + " bytes");
    if (!account(traffic, *message)) log_.write("!! " + name(call) + ": the TSP's block has wrong content or order");
    if (message->type == MspType::start) start(call, traffic);
    if (message->type == MspType::block && (message->flags & kWantEcho)) echo(call, traffic, *message);
    return msp::kOk;
  }

  HRESULT GetEvent(msp::EventInfo* info) override {
    if (!info) return msp::kInvalid;
    if (events_.empty()) return msp::kNoEvent;
    current_ = std::move(events_.front());
    events_.pop_front();
    *info = {current_.event, current_.call, current_.bytes.data(), static_cast<DWORD>(current_.bytes.size())};
    return msp::kOk;
  }

  /// "send size=65536 seed=7 [blocks=1] [echo=yes]", "raw TEXT" or "status".
  HRESULT Command(msp::CallObject* call, const char* text) override {
    if (!text || (call && !calls_.contains(call))) return msp::kInvalid;
    log_.write(name(call) + ": the application commands: " + text);
    MspTraffic& traffic = call ? call->traffic : traffic_;
    std::istringstream words(text);
    std::string verb;
    words >> verb;
    if (verb == "status") {
      tell(call, traffic_text(traffic));
      return msp::kOk;
    }
    if (verb == "raw") {
      const std::string rest = std::string(text).size() > 4 ? std::string(text).substr(4) : std::string();
      post(call, Bytes(rest.begin(), rest.end()));
      return msp::kOk;
    }
    return verb == "send" ? send(call, traffic, words) : msp::kInvalid;
  }

  HRESULT Shutdown() override {
    for (const auto& [call, object] : calls_) {
      if (object->streaming) log_.write("call " + hex(object->htCall) + ": streaming stopped");
    }
    calls_.clear();
    events_.clear();
    signal_ = nullptr;
    log_.write("address shut down");
    return msp::kOk;
  }

  void Release() override { delete this; }

 private:
  struct Event {
    msp::Event event = msp::ME_ADDRESS_EVENT;
    DWORD_PTR call = 0;
    Bytes bytes;
  };

  static std::string name(const msp::CallObject* call) { return call ? "call " + hex(call->htCall) : "address"; }

  void queue(msp::Event event, const msp::CallObject* call, Bytes bytes) {
    events_.push_back({event, call ? call->htCall : 0, std::move(bytes)});
    if (signal_) signal_(context_);
  }
  void post(const msp::CallObject* call, Bytes bytes) { queue(msp::ME_TSP_DATA, call, std::move(bytes)); }
  void tell(const msp::CallObject* call, const std::string& text) {
    queue(call ? msp::ME_CALL_EVENT : msp::ME_ADDRESS_EVENT, call, Bytes(text.begin(), text.end()));
  }

  void start(msp::CallObject* call, MspTraffic& traffic) {
    if (call) call->streaming = true;
    traffic.started = true;
    log_.write(name(call) + ": streaming started");
    MspMessage answer;
    answer.type = MspType::started;
    answer.sequence = traffic.next_sequence++;
    const std::string text = "streaming started";
    answer.payload.assign(text.begin(), text.end());
    post(call, encode(answer));
    tell(call, text);
  }

  void echo(const msp::CallObject* call, MspTraffic& traffic, MspMessage message) {
    message.type = MspType::echo;
    message.flags = 0;
    message.sequence = traffic.next_sequence++;
    post(call, encode(message));
  }

  HRESULT send(const msp::CallObject* call, MspTraffic& traffic, std::istringstream& words) {
    std::map<std::string, std::uint32_t> numbers = {{"size", 1024}, {"seed", 1}, {"blocks", 1}, {"echo", 0}};
    for (std::string word; words >> word;) {
      const auto equals = word.find('=');
      const std::string key = word.substr(0, equals);
      if (equals == std::string::npos || !numbers.contains(key)) return msp::kInvalid;
      const std::string value = word.substr(equals + 1);
      try {
        numbers[key] = value == "yes" ? 1 : value == "no" ? 0 : static_cast<std::uint32_t>(std::stoul(value));
      } catch (const std::logic_error&) {
        return msp::kInvalid;
      }
    }
    for (Bytes& bytes :
         pattern_messages(traffic, numbers["seed"], numbers["size"], numbers["blocks"], numbers["echo"] != 0)) {
      post(call, std::move(bytes));
    }
    return msp::kOk;
  }

  Log log_{"msp"};
  msp::Signal signal_ = nullptr;
  void* context_ = nullptr;
  std::map<msp::CallObject*, std::unique_ptr<msp::CallObject>> calls_;
  std::deque<Event> events_;
  Event current_;
  MspTraffic traffic_;
};

}  // namespace
}  // namespace tsplink::simpbx

extern "C" DECLSPEC_EXPORT msp::Address* create_msp_address(const GUID* clsid) {
  if (!clsid || std::memcmp(clsid, &tsplink::simpbx::kMspClassId, sizeof *clsid) != 0) return nullptr;
  return new tsplink::simpbx::MspAddress;
}
