#include "tests/unit/simpbx/fake_tapi.hpp"

#include <chrono>
#include <fstream>
#include <iterator>

namespace tsplink::simpbx_test {
namespace {

FakeTapi* current = nullptr;
constexpr auto kBound = std::chrono::seconds(20);

}  // namespace

FakeTapi::FakeTapi(const std::string& config) {
  std::ofstream(folder_.path() / "config") << config;
  for (const char* name : {"config", "control", "log"}) {
    std::string variable = std::string("SIMPBX_") + name;
    for (char& c : variable) c = static_cast<char>(std::toupper(c));
    tests::set_environment(variable, (folder_.path() / name).string());
  }
  current = this;
  module_.emplace(tests::program_folder() / SIMPBX_MODULE);
  DWORD version = 0;
  EXPECT_EQ(TSPI(*this, lineNegotiateTSPIVersion)(static_cast<DWORD>(INITIALIZE_NEGOTIATION), 0x00020000, 0x00030001,
                                                  &version),
            0);
  EXPECT_EQ(TSPI(*this, providerEnumDevices)(7, &lines, &phones, reinterpret_cast<HPROVIDER>(0x55005500), &line_event,
                                             &phone_event),
            0);
  init_result = TSPI(*this, providerInit)(version, 7, 0, 0, lines, phones, &completed, &options);
}

FakeTapi::~FakeTapi() {
  during = nullptr;
  TSPI(*this, providerShutdown)(0x00030001, 7);
  current = nullptr;
}

void* FakeTapi::symbol(const char* name) const {
  void* const found = module_->symbol(name);
  if (!found) throw std::runtime_error(std::string("not exported: ") + name);
  return found;
}

HDRVLINE FakeTapi::open(DWORD device, DWORD media, DWORD version) {
  HDRVLINE line = nullptr;
  EXPECT_EQ(TSPI(*this, lineOpen)(device, htLine(device), &line, version, &line_event), 0);
  EXPECT_EQ(TSPI(*this, lineSetStatusMessages)(line, 0xFFFFFFFF, 0xFFFFFFFF), 0);
  if (media != 0) {
    EXPECT_EQ(TSPI(*this, lineSetDefaultMediaDetection)(line, media), 0);
  }
  return line;
}

std::string FakeTapi::control(const std::string& command) {
  if (!socket_) {
    std::uint16_t port = 0;
    std::ifstream(folder_.path() / "control") >> port;
    socket_.emplace(port);
  }
  const std::string line = command + "\n";
  if (!socket_->write({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()})) return "error not sent";
  for (;;) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      std::string answer = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return answer;
    }
    const auto part = socket_->read();
    if (part.empty()) return "error connection lost";
    buffer_.append(part.begin(), part.end());
  }
}

void FakeTapi::record(Told told) {
  told.thread = std::this_thread::get_id();
  during(told);
  const std::scoped_lock lock(mutex_);
  told_.push_back(std::move(told));
  changed_.notify_all();
}

void FakeTapi::completed(DRV_REQUESTID request, LONG result) {
  Told told{Told::completion};
  told.message = request;
  told.result = result;
  current->record(std::move(told));
}

void FakeTapi::line_event(HTAPILINE line, HTAPICALL call, DWORD message, DWORD_PTR p1, DWORD_PTR p2, DWORD_PTR p3) {
  Told told{
      Told::line, reinterpret_cast<std::uintptr_t>(line), reinterpret_cast<std::uintptr_t>(call), message, p1, p2,
      p3};
  if (message == static_cast<DWORD>(LINE_NEWCALL)) {
    const std::scoped_lock lock(current->mutex_);
    if (current->refuse_new_calls > 0) {
      --current->refuse_new_calls;
    } else {
      const HTAPICALL made = htCall(++current->next_call_);
      *reinterpret_cast<LPHTAPICALL>(p2) = made;
      current->new_calls_[p1] = reinterpret_cast<std::uintptr_t>(made);
    }
  }
  if (message == static_cast<DWORD>(LINE_SENDMSPDATA)) {
    const auto* bytes = reinterpret_cast<const BYTE*>(p2);
    told.bytes.assign(bytes, bytes + p3);
  }
  if (message == static_cast<DWORD>(LINE_CREATEDIALOGINSTANCE)) {
    reinterpret_cast<LPTUISPICREATEDIALOGINSTANCEPARAMS>(p1)->htDlgInst = 0x4242;
  }
  current->record(std::move(told));
}

void FakeTapi::phone_event(HTAPIPHONE phone, DWORD message, DWORD_PTR p1, DWORD_PTR p2, DWORD_PTR p3) {
  current->record({Told::phone, reinterpret_cast<std::uintptr_t>(phone), 0, message, p1, p2, p3});
}

bool FakeTapi::wait(const std::function<bool(const std::vector<Told>&)>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kBound, [&] { return condition(told_); });
}

LONG FakeTapi::result(DRV_REQUESTID request) {
  LONG result = -1;
  const bool came = wait([&](const std::vector<Told>& all) {
    for (const Told& t : all) {
      if (t.kind == Told::completion && t.message == request) return result = t.result, true;
    }
    return false;
  });
  EXPECT_TRUE(came) << "request " << request << " was not completed";
  return result;
}

bool FakeTapi::state(std::uintptr_t call, DWORD state) {
  return wait([&](const std::vector<Told>& all) {
    for (const Told& t : all) {
      if (t.message == LINE_CALLSTATE && t.kind == Told::line && t.call == call && t.p1 == state) return true;
    }
    return false;
  });
}

HDRVCALL FakeTapi::new_call() {
  std::uintptr_t found = 0;
  wait([&](const std::vector<Told>& all) {
    std::size_t seen = 0;
    for (const Told& t : all) {
      if (t.kind != Told::line || t.message != static_cast<DWORD>(LINE_NEWCALL) || !new_calls_.contains(t.p1))
        continue;
      if (seen++ == taken_calls_) return found = t.p1, true;
    }
    return false;
  });
  const std::scoped_lock lock(mutex_);
  ++taken_calls_;
  last_htCall = new_calls_[found];
  return reinterpret_cast<HDRVCALL>(found);
}

std::vector<Told> FakeTapi::told() {
  const std::scoped_lock lock(mutex_);
  return told_;
}

std::size_t FakeTapi::position(const std::function<bool(const Told&)>& what) {
  const auto all = told();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (what(all[i])) return i;
  }
  return std::string::npos;
}

std::string FakeTapi::log_text() {
  std::ifstream file(folder_.path() / "log");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace tsplink::simpbx_test
