// A function that the product does not know: one line more in the sheet, and TAPI's call reaches the vendor through
// proxy, broker and worker, and what the vendor writes comes back. Both ends in this process.
#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "fake_vendor.hpp"
#include "proxy-tsp/overrides.hpp"
#include "remote-host/broker/broker.hpp"
#include "tests/platform/files.hpp"
#include "tests/platform/process.hpp"
#include "wire/schema.hpp"
#include "wire/trace.hpp"

namespace tsplink::host::test {
namespace {

using MadeUp = calls::lineMadeUp;
using wire::Function;
constexpr auto kTime = std::chrono::seconds(20);
constexpr DWORD kFirstLine = 3;

/// Runs tasks one after the other on a thread of its own: the reactor's.
class Loop {
 public:
  ~Loop() {
    post({});
    thread_.join();
  }
  void post(std::function<void()> task) {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    came_.notify_all();
  }

 private:
  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      came_.wait(lock, [&] { return !tasks_.empty(); });
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      if (!task) return;
      task();
    }
  }
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::function<void()>> tasks_;
  std::thread thread_{[this] { run(); }};
};

/// TAPI, whose callbacks carry no context.
struct Tapi {
  std::mutex mutex;
  std::condition_variable changed;
  proxy::Core* core = nullptr;
  DWORD lines = 0;
  std::map<DRV_REQUESTID, LONG> completed;

  bool until(const std::function<bool()>& holds) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kTime, holds);
  }
};
Tapi* tapi = nullptr;

void CALLBACK on_completion(DRV_REQUESTID dwRequestID, LONG lResult) {
  std::lock_guard lock(tapi->mutex);
  EXPECT_TRUE(tapi->completed.emplace(dwRequestID, lResult).second);
  tapi->changed.notify_all();
}
void CALLBACK on_line(HTAPILINE, HTAPICALL, DWORD dwMsg, DWORD_PTR, DWORD_PTR dwTempID, DWORD_PTR) {
  if (dwMsg != static_cast<DWORD>(LINE_CREATE)) return;
  std::lock_guard lock(tapi->mutex);
  tapi->core->create_device(false, dwTempID, kFirstLine + tapi->lines++);
  tapi->changed.notify_all();
}
void CALLBACK on_phone(HTAPIPHONE, DWORD, DWORD_PTR, DWORD_PTR, DWORD_PTR) {}

/// What the vendor's function was given.
struct Seen {
  HDRVLINE line = nullptr;
  HDRVCALL call = nullptr;
  DWORD mode = 0;
  std::u16string text;
  std::string bytes;
  std::vector<DWORD> tones;
};
Seen seen;

LONG made_up(DRV_REQUESTID id, HDRVLINE line, HDRVCALL call, DWORD mode, LPCWSTR text, LPCSTR bytes, DWORD size,
             LPLINEGENERATETONE tones, DWORD number_of_tones, HTAPICALL, LPHDRVCALL made, LPVOID params,
             DWORD params_size, LPVARSTRING name, LPDWORD number) {
  seen = {line, call, mode, {}, std::string(bytes, size), {}};
  for (; *text; ++text) seen.text.push_back(static_cast<char16_t>(*text));
  for (DWORD i = 0; i < number_of_tones; ++i) seen.tones.push_back(tones[i].dwFrequency);
  *made = call_handle(7);
  std::memset(params, 'x', params_size);
  name->dwNeededSize = name->dwUsedSize = sizeof(VARSTRING) + 4;
  name->dwStringFormat = STRINGFORMAT_BINARY;
  name->dwStringSize = 4;
  name->dwStringOffset = sizeof(VARSTRING);
  std::memcpy(name + 1, "name", 4);
  *number = 4711;
  vendor().completion(id, 0);
  return static_cast<LONG>(id);
}

/// Proxy, broker and worker, joined by their envelopes.
class SheetTest : public WorkerTest, private Sessions, private Timers {
 protected:
  SheetTest() {
    tapi = &tapi_;
    tapi_.core = &core_;
  }
  ~SheetTest() override {
    core_.shutdown();
    worker_.reset();
    tapi = nullptr;
  }
  void begin() {
    WorkerOptions options;
    options.name = "fake";
    worker_ =
        std::make_unique<Worker>(options, fake_.module(), from_worker_, clock_, std::make_shared<PermanentIds>());
    const auto number = broker_.add_worker("fake", to_worker_);
    from_worker_.take = [this, number](wire::Buffer envelope) {
      loop_.post([this, number, envelope] { broker_.worker_message(number, envelope); });
    };
    to_worker_.take = [this](wire::Buffer envelope) { worker_->receive(std::move(envelope)); };
    worker_->start();
    DWORD lines = 0, phones = 0;
    core_.enumerate({HPROVIDER{}, on_line, on_phone, {}}, lines, phones);
    core_.init(kFirstLine, 0, lines, phones, on_completion);
    loop_.post([this] { broker_.session_up(1, {"desk", {"CN=desk", {}}, "127.0.0.1"}); });
    ASSERT_TRUE(tapi_.until([&] { return tapi_.lines == 2; }));
  }
  template <class C, class... Given>
  LONG run(Function function, Given... arguments) {
    return proxy::enter<C>(&core_, function, arguments...);
  }
  LONG completion_of(DRV_REQUESTID id) {
    return tapi_.until([&] { return tapi_.completed.count(id) != 0; }) ? tapi_.completed.at(id) : 1;
  }

  struct Pipe final : wire::Channel {
    void send(wire::Buffer envelope) override { take(std::move(envelope)); }
    std::function<void(wire::Buffer)> take;
  };
  Tapi tapi_;
  Pipe from_worker_, to_worker_;
  Broker broker_{*this, *this, std::make_shared<Policy>(Policy::everything(wire::Right::Control))};
  std::vector<std::string> traced_;  // the desktop's requests
  proxy::Core core_{{},
                    [this](const wire::Buffer& envelope) {
                      traced_.push_back(wire::trace_frame(*envelope));
                      loop_.post([this, envelope] { broker_.session_message(1, envelope); });
                      return true;
                    },
                    [](proxy::LogLevel, const std::string&) {}};
  Loop loop_;  // ends first

 private:
  void send(SessionId, wire::Buffer envelope) override { core_.on_message(envelope); }
  void close(SessionId, const std::string& reason) override { ADD_FAILURE() << reason; }
  void after(wire::Duration, std::function<void()>) override {}
};

TEST_F(SheetTest, OneLineOfTheSheetIsAFunctionFromTapiToTheVendorAndBack) {
  fake_.set<MadeUp>([](auto... all) -> LONG { return made_up(all...); });
  begin();
  HDRVLINE hdLine{};
  ASSERT_EQ(run<calls::lineOpen>(Function::lineOpen, kFirstLine, HTAPILINE{}, &hdLine, DWORD{0x00020002}, on_line),
            0);
  LINEGENERATETONE tones[2] = {};
  tones[0].dwFrequency = 697;
  tones[1].dwFrequency = 1209;
  std::string params = "....";
  DWORD number = 0;
  struct {
    VARSTRING head;
    char text[100];
  } name = {};
  name.head.dwTotalSize = sizeof name;
  const auto call = [&](DRV_REQUESTID id, HDRVCALL hdCall, HDRVCALL& made) {
    return run<MadeUp>(Function::lineMadeUp, id, hdLine, hdCall, DWORD{9}, reinterpret_cast<LPCWSTR>(u"555"),
                       static_cast<LPCSTR>("bytes"), DWORD{5}, static_cast<LPLINEGENERATETONE>(tones), DWORD{2},
                       HTAPICALL{}, &made, static_cast<LPVOID>(params.data()), DWORD{4}, &name.head, &number);
  };
  HDRVCALL first{}, second{};
  ASSERT_EQ(call(41, HDRVCALL{}, first), 41);
  ASSERT_EQ(completion_of(41), 0);
  EXPECT_EQ(seen.line, line_handle(0));
  EXPECT_EQ(seen.call, nullptr);
  EXPECT_EQ(seen.mode, 9U);
  EXPECT_EQ(seen.text, u"555");
  EXPECT_EQ(seen.bytes, "bytes");
  EXPECT_EQ(seen.tones, (std::vector<DWORD>{697, 1209}));
  EXPECT_EQ(params, "xxxx");
  EXPECT_EQ(number, 4711U);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(&name) + name.head.dwStringOffset, name.head.dwStringSize),
            "name");
  EXPECT_NE(traced_.back().find(" lineMadeUp hdLine=#"), std::string::npos) << traced_.back();
  EXPECT_NE(traced_.back().find(" dwMode=9 lpszText=\"555\" lpsBytes=5 bytes "), std::string::npos) << traced_.back();

  ASSERT_EQ(call(42, first, second), 42);  // the call that it made is one
  ASSERT_EQ(completion_of(42), 0);
  EXPECT_EQ(seen.call, call_handle(7));
}

TEST_F(SheetTest, AVendorWithoutItMakesItUnavailable) {
  begin();
  HDRVLINE hdLine{};
  ASSERT_EQ(run<calls::lineOpen>(Function::lineOpen, kFirstLine, HTAPILINE{}, &hdLine, DWORD{0x00020002}, on_line),
            0);
  ASSERT_EQ(run<MadeUp>(Function::lineMadeUp, DRV_REQUESTID{1}, hdLine, HDRVCALL{}, DWORD{0}, LPCWSTR{}, LPCSTR{},
                        DWORD{0}, LPLINEGENERATETONE{}, DWORD{0}, HTAPICALL{}, LPHDRVCALL{}, LPVOID{}, DWORD{0},
                        LPVARSTRING{}, LPDWORD{}),
            1);
  EXPECT_EQ(completion_of(1), static_cast<LONG>(LINEERR_OPERATIONUNAVAIL));
}

TEST(Sheet, TheSchemaHasTheFunction) {
  EXPECT_EQ(number_of<MadeUp> + 1U, wire::kFunctionCount);
  const auto& text = wire::schema_text();
  EXPECT_NE(text.find("  lineMadeUp = " + std::to_string(number_of<MadeUp>) + "\n"), std::string::npos);
  EXPECT_NE(text.find("table lineMadeUp_request {\n"), std::string::npos);
  EXPECT_NE(text.find("table lineMadeUp_reply {\n"), std::string::npos);
}

TEST(Sheet, TheModuleExportsTheFunction) {
  const tests::Module module(tests::program_folder() / "sheet.tsp");
  const auto function = reinterpret_cast<decltype(&TSPI_lineMadeUp)>(module.symbol("TSPI_lineMadeUp"));
  ASSERT_TRUE(function);
  EXPECT_EQ(function(1, reinterpret_cast<HDRVLINE>(std::uintptr_t{0x1234}), nullptr, 0, nullptr, nullptr, 0, nullptr,
                     0, nullptr, nullptr, nullptr, 0, nullptr, nullptr),
            static_cast<LONG>(LINEERR_INVALLINEHANDLE));
}

}  // namespace
}  // namespace tsplink::host::test
