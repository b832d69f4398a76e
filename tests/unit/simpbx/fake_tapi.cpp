#include "tests/unit/simpbx/fake_tapi.hpp"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tsplink::simpbx_test {
namespace {

FakeTapi* current = nullptr;
constexpr auto kBound = std::chrono::seconds(20);

}  // namespace

std::string temporary_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "simpbx-XXXXXX").string();
  if (!::mkdtemp(name.data())) std::abort();
  return name;
}

std::string module_path(const std::string& name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

FakeTapi::FakeTapi(const std::string& config) : folder_(temporary_folder()) {
  std::ofstream(folder_ + "/config") << config;
  ::setenv("SIMPBX_CONFIG", (folder_ + "/config").c_str(), 1);
  ::setenv("SIMPBX_CONTROL", (folder_ + "/port").c_str(), 1);
  ::setenv("SIMPBX_LOG", (folder_ + "/log").c_str(), 1);
  current = this;
  // Kept loaded, so that leak reports can name what they saw.
  module_ = ::dlopen(module_path(SIMPBX_MODULE).c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!module_) throw std::runtime_error(::dlerror());
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
  if (socket_ >= 0) ::close(socket_);
  current = nullptr;
  std::filesystem::remove_all(folder_);
}

void* FakeTapi::symbol(const char* name) const {
  void* const found = ::dlsym(module_, name);
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
  if (socket_ < 0) {
    int port = 0;
    std::ifstream(folder_ + "/port") >> port;
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return "error no connection";
  }
  const std::string line = command + "\n";
  if (::send(socket_, line.data(), line.size(), MSG_NOSIGNAL) < 0) return "error not sent";
  for (;;) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      std::string answer = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return answer;
    }
    char part[1024];
    const auto got = ::recv(socket_, part, sizeof part, 0);
    if (got <= 0) return "error connection lost";
    buffer_.append(part, static_cast<std::size_t>(got));
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
  std::ifstream file(folder_ + "/log");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace tsplink::simpbx_test
