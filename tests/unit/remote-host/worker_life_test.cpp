// A vendor's life, its lines beside each other, its messages and its missing pieces.
#include <algorithm>
#include <cstring>
#include <set>

#include "fake_vendor.hpp"
#include "log_file.hpp"

namespace tsplink::host::test {
namespace {

class LifeTest : public WorkerTest {};

HTAPILINE first_line() {
  std::lock_guard lock(vendor().mutex);
  return vendor().lines.at(vendor().base);
}

TEST_F(LifeTest, InventoryTellsWhatTapiAsksFor) {
  start();
  ASSERT_EQ(inventory_.lines.size(), 2U);
  ASSERT_EQ(inventory_.phones.size(), 1U);
  EXPECT_EQ(inventory_.lines[0].version, 0x00020002U);
  EXPECT_EQ(inventory_.lines[0].provider, "fake");
  EXPECT_EQ(inventory_.lines[0].addresses.size(), 1U);
  EXPECT_FALSE(inventory_.lines[0].caps.empty());
  EXPECT_NE(inventory_.lines[0].permanent, inventory_.lines[1].permanent);
  EXPECT_NE(inventory_.lines[0].permanent, 0U);
  EXPECT_TRUE(worker_->stop());
  EXPECT_EQ(vendor().noted(), std::vector<std::string>{"shutdown"});
}

/// Rules 5.1: versions for the provider before its devices are counted, then its start, then versions for each.
TEST_F(LifeTest, TheVendorIsWokenInTapisOrder) {
  static constexpr auto note = [](const char* what, DWORD device) {
    vendor().note(what + (device == 0xFFFFFFFF ? std::string(" itself") : std::to_string(device - vendor().base)));
  };
  fake_.set<calls::lineNegotiateTSPIVersion>([](DWORD device, DWORD low, DWORD high, LPDWORD version) -> LONG {
    EXPECT_LT(low, high);
    note("line", device);
    *version = 0x00020002;
    return 0;
  });
  fake_.set<calls::phoneNegotiateTSPIVersion>([](DWORD device, DWORD, DWORD, LPDWORD version) -> LONG {
    note("phone", device);
    *version = 0x00020002;
    return 0;
  });
  fake_.set<calls::providerEnumDevices>(
      [](DWORD, LPDWORD lines, LPDWORD phones, HPROVIDER, LINEEVENT, PHONEEVENT) -> LONG {
        vendor().note("enumerate");
        *lines = 2;
        *phones = 1;
        return 0;
      });
  fake_.set<calls::providerInit>([](DWORD version, DWORD, DWORD base, DWORD, DWORD_PTR lines, DWORD_PTR phones,
                                    ASYNC_COMPLETION, LPDWORD) -> LONG {
    vendor().note("init of version " + std::to_string(version) + " with " + std::to_string(lines) + " and " +
                  std::to_string(phones));
    vendor().base = base;
    return 0;
  });
  start();
  EXPECT_EQ(vendor().noted(),
            (std::vector<std::string>{"line itself", "enumerate", "init of version 131074 with 2 and 1", "line0",
                                      "line1", "phone0"}));
}

TEST_F(LifeTest, MissingExportsAreUnavailable) {
  start();
  open_line();
  const auto phone = inventory_.phones[0].id;
  EXPECT_EQ(run<calls::lineGetNumAddressIDs>({line(), {}}).result, static_cast<LONG>(LINEERR_OPERATIONUNAVAIL));
  EXPECT_EQ(run<calls::phoneOpen>({phone, {}, {}, 0x00020002, {}}).result,
            static_cast<LONG>(PHONEERR_OPERATIONUNAVAIL));
  const auto answer = run<calls::lineHold>({wire::Nothing{}, 4711});
  EXPECT_TRUE(answer.completion);
  EXPECT_EQ(answer.result, static_cast<LONG>(LINEERR_OPERATIONUNAVAIL));
}

TEST_F(LifeTest, UnknownObjectsAreRefusedByTheirKind) {
  fake_.set<calls::lineHold>([](DRV_REQUESTID, HDRVCALL) -> LONG { return 0; });
  start();
  EXPECT_EQ(run<calls::lineHold>({wire::Nothing{}, 4711}).result, static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  EXPECT_EQ(run<calls::lineClose>({line()}).result, static_cast<LONG>(LINEERR_INVALLINEHANDLE));
  EXPECT_EQ(run<calls::lineOpen>({4711, {}, {}, 0x00020002, {}}).result, static_cast<LONG>(LINEERR_BADDEVICEID));
}

TEST_F(LifeTest, NoTspIsRefused) {
  fake_.remove<calls::providerInit>();
  EXPECT_THROW(Worker({}, fake_.module(), outbox_, clock_, std::make_shared<PermanentIds>()), Failure);
}

TEST_F(LifeTest, InitThatFailsIsASentence) {
  fake_.set<calls::providerInit>([](DWORD, DWORD, DWORD, DWORD, DWORD_PTR, DWORD_PTR, ASYNC_COMPLETION,
                                    LPDWORD) -> LONG { return static_cast<LONG>(LINEERR_NODRIVER); });
  Worker worker({}, fake_.module(), outbox_, clock_, std::make_shared<PermanentIds>());
  try {
    worker.start();
    FAIL() << "the vendor's refusal was not noticed";
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("LINEERR_NODRIVER"), std::string::npos) << failure.what();
  }
}

TEST_F(LifeTest, NewCallTokenIsThereAtOnce) {
  start();
  open_line();
  HTAPICALL token = nullptr;
  vendor().line_event(first_line(), nullptr, LINE_NEWCALL, reinterpret_cast<DWORD_PTR>(call_handle(1)),
                      reinterpret_cast<DWORD_PTR>(&token), 0);
  ASSERT_NE(token, nullptr);
  EXPECT_LT(reinterpret_cast<DWORD_PTR>(token), DWORD_PTR{0x80000000});
  EXPECT_NE(reinterpret_cast<DWORD_PTR>(token), reinterpret_cast<DWORD_PTR>(first_line()));
  vendor().line_event(first_line(), token, LINE_CALLSTATE, LINECALLSTATE_CONFERENCED,
                      reinterpret_cast<DWORD_PTR>(token), 1);
  const auto seen = events();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1]->call(), seen[0]->param1());
  EXPECT_EQ(seen[1]->param2(), seen[0]->param1());  // a conference is named by its id, not by a token
}

TEST_F(LifeTest, UnknownTokensAndMessagesAreDropped) {
  start();
  open_line();
  vendor().line_event(reinterpret_cast<HTAPILINE>(DWORD_PTR{1}), nullptr, LINE_LINEDEVSTATE, 1, 0, 0);
  vendor().line_event(first_line(), reinterpret_cast<HTAPICALL>(DWORD_PTR{1}), LINE_CALLSTATE, 1, 0, 0);
  vendor().line_event(first_line(), nullptr, 4711, 1, 0, 0);
  vendor().line_event(first_line(), nullptr, LINE_SENDMSPDATA, 4711, 0, 0);
  vendor().line_event(first_line(), nullptr, LINE_NEWCALL, reinterpret_cast<DWORD_PTR>(call_handle(1)), 0, 0);
  EXPECT_TRUE(events().empty());
  vendor().line_event(first_line(), nullptr, LINE_LINEDEVSTATE, LINEDEVSTATE_RINGING, 2, 3);
  ASSERT_EQ(events().size(), 1U);
  EXPECT_EQ(events()[0]->param3(), 3U);
}

TEST_F(LifeTest, MspDataIsCopiedInOrderAndBounded) {
  fake_.set<calls::lineCreateMSPInstance>(
      [](HDRVLINE, DWORD, HTAPIMSPLINE htMSPLine, HDRVMSPLINE* hdMSPLine) -> LONG {
        vendor().options = htMSPLine;
        *hdMSPLine = reinterpret_cast<HDRVMSPLINE>(DWORD_PTR{0x300});
        return 0;
      });
  start();
  open_line();
  const auto created = run<calls::lineCreateMSPInstance>({line(), 0, {}, 9});
  ASSERT_EQ(created.result, 0);
  const auto id = std::get<3>(wire::decode<calls::lineCreateMSPInstance::Outputs>(created.outputs));
  std::string text = "abc";
  vendor().line_event(first_line(), nullptr, LINE_SENDMSPDATA, vendor().options,
                      reinterpret_cast<DWORD_PTR>(text.data()), 3);
  text = "xyz";
  const std::string large(wire::kMaxBlock + 1, 'x');
  vendor().line_event(first_line(), nullptr, LINE_SENDMSPDATA, 0, reinterpret_cast<DWORD_PTR>(large.data()),
                      large.size());
  const auto seen = events();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0]->param1(), id);
  const auto data = wire::span_of(seen[0]->data());
  EXPECT_EQ(std::string(data.begin(), data.end()), "abc");
}

TEST_F(LifeTest, DeviceThatComesLaterAndGoesAgain) {
  static std::atomic<bool> inside{false};
  fake_.set<calls::providerCreateLineDevice>([](DWORD_PTR temporary, DWORD device) -> LONG {
    EXPECT_FALSE(inside);  // not from the callback
    EXPECT_EQ(temporary, 77U);
    EXPECT_EQ(device, vendor().base + 2);
    return 0;
  });
  start();
  inside = true;
  vendor().line_event(nullptr, nullptr, 4711, 0, 0, 0);
  inside = false;
  vendor().line_event(nullptr, nullptr, LINE_CREATE, reinterpret_cast<DWORD_PTR>(vendor().provider), 77, 0);
  const auto change = [](bool arrived) {
    return [arrived](const wire::fb::Envelope& each) {
      const auto* inventory = each.body_as_Inventory();
      return inventory && !inventory->complete() && inventory->lines()->Get(0)->arrived() == arrived;
    };
  };
  const auto came = outbox_.wait_for(change(true));
  ASSERT_TRUE(came);
  const auto id = wire::verified_envelope(*came)->body_as_Inventory()->lines()->Get(0)->id();
  ASSERT_EQ(run<calls::lineOpen>({id, {}, {}, 0x00020002, {}}).result, 0);
  vendor().line_event(nullptr, nullptr, LINE_REMOVE, vendor().base + 2, 0, 0);
  const auto went = outbox_.wait_for(change(false));
  ASSERT_TRUE(went);
  EXPECT_EQ(wire::verified_envelope(*went)->body_as_Inventory()->lines()->Get(0)->id(), id);
  EXPECT_EQ(vendor().noted(), std::vector<std::string>{"close line"});
  EXPECT_EQ(run<calls::lineOpen>({id, {}, {}, 0x00020002, {}}).result, static_cast<LONG>(LINEERR_BADDEVICEID));
}

TEST_F(LifeTest, ALineThatGoesWhileItIsBeingDescribedComesAndGoes) {
  fake_.set<calls::providerCreateLineDevice>([](DWORD_PTR, DWORD) -> LONG { return 0; });
  static Outbox* sent;
  sent = &outbox_;
  static const auto has_gone = [](const wire::fb::Envelope& each) {
    const auto* inventory = each.body_as_Inventory();
    return inventory && !inventory->complete() && !inventory->lines()->Get(0)->arrived();
  };
  fake_.set<calls::lineGetExtensionID>([](DWORD device, DWORD, LPLINEEXTENSIONID) -> LONG {
    if (device != vendor().base + 2) return 0;
    vendor().line_event(nullptr, nullptr, LINE_REMOVE, device, 0, 0);
    // Time for it to be heard of too early.
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    while (std::chrono::steady_clock::now() < end && std::ranges::none_of(sent->all(), [](const auto& each) {
             return has_gone(*wire::verified_envelope(*each));
           })) {
      std::this_thread::yield();
    }
    return 0;
  });
  start();
  vendor().line_event(nullptr, nullptr, LINE_CREATE, reinterpret_cast<DWORD_PTR>(vendor().provider), 77, 0);
  ASSERT_TRUE(outbox_.wait_for(has_gone));
  std::vector<bool> arrived;
  for (const auto& each : outbox_.all()) {
    const auto* inventory = wire::verified_envelope(*each)->body_as_Inventory();
    if (inventory && !inventory->complete()) arrived.push_back(inventory->lines()->Get(0)->arrived());
  }
  EXPECT_EQ(arrived, (std::vector<bool>{true, false}));
}

TEST_F(LifeTest, ADriverThatHangsInItsStartIsNamed) {
  static wire::ManualClock* clock = nullptr;
  clock = &clock_;
  static const LogFile* log = nullptr;
  fake_.set<calls::lineGetExtensionID>([](DWORD, DWORD, LPLINEEXTENSIONID) -> LONG {
    clock->advance(std::chrono::seconds(30));
    const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (log->lines().empty() && std::chrono::steady_clock::now() < bound) std::this_thread::yield();
    return 0;
  });
  const LogFile file(log::Level::Warn);
  log = &file;
  start();
  ASSERT_FALSE(file.lines().empty());
  EXPECT_NE(file.lines()[0].find("TSPI_lineGetExtensionID does not return; what comes behind it waits."),
            std::string::npos)
      << file.lines()[0];
}

TEST_F(LifeTest, TheWatchdogAlsoSeesWhatNoDesktopHasAskedFor) {
  static std::atomic<bool> entered{false};
  static std::atomic<bool> go{false};
  fake_.set<calls::providerCreateLineDevice>([](DWORD_PTR, DWORD) -> LONG {
    entered = true;
    while (!go) std::this_thread::yield();
    return 0;
  });
  start();
  vendor().line_event(nullptr, nullptr, LINE_CREATE, reinterpret_cast<DWORD_PTR>(vendor().provider), 77, 0);
  const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!entered && std::chrono::steady_clock::now() < bound) std::this_thread::yield();
  clock_.advance(std::chrono::seconds(30));
  const LogFile log(log::Level::Warn);
  EXPECT_EQ(worker_->watch(), 1U);
  EXPECT_EQ(worker_->activity().stuck, 1U);
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_NE(log.lines()[0].find("TSPI_providerCreateLineDevice does not return; what comes behind it waits."),
            std::string::npos)
      << log.lines()[0];
  go = true;
}

TEST_F(LifeTest, ALineThatGoesBeforeTheFirstInventoryGoesAfterIt) {
  fake_.set<calls::lineGetExtensionID>([](DWORD device, DWORD, LPLINEEXTENSIONID) -> LONG {
    if (device == vendor().base + 1) vendor().line_event(nullptr, nullptr, LINE_REMOVE, vendor().base, 0, 0);
    return 0;
  });
  start();
  EXPECT_EQ(inventory_.lines.size(), 2U);
  const auto went = outbox_.wait_for(
      [](const auto& each) { return each.body_as_Inventory() && !each.body_as_Inventory()->complete(); });
  ASSERT_TRUE(went);
  EXPECT_EQ(wire::verified_envelope(*went)->body_as_Inventory()->lines()->Get(0)->id(), line(0));
  EXPECT_EQ(*outbox_.all().back(), *went);
}

TEST_F(LifeTest, ALineThatSaysSoIsAskedForItsCapabilitiesAnew) {
  start();
  open_line();
  vendor().line_event(first_line(), nullptr, LINE_LINEDEVSTATE, LINEDEVSTATE_CAPSCHANGE, 0, 0);
  const auto told = outbox_.wait_for([&](const wire::fb::Envelope& each) {
    const auto* inventory = each.body_as_Inventory();
    return inventory && !inventory->complete() && inventory->lines()->Get(0)->id() == line();
  });
  ASSERT_TRUE(told);
  const auto values = wire::read_inventory(*wire::verified_envelope(*told)->body_as_Inventory());
  EXPECT_TRUE(values.lines[0].arrived);
  EXPECT_EQ(values.lines[0].permanent, inventory_.lines[0].permanent);
}

TEST_F(LifeTest, ALineThatComesAgainHasItsPermanentId) {
  fake_.set<calls::providerCreateLineDevice>([](DWORD_PTR, DWORD) -> LONG { return 0; });
  fake_.set<calls::lineGetDevCaps>([](DWORD device, DWORD, DWORD, LPLINEDEVCAPS caps) -> LONG {
    const DWORD total = caps->dwTotalSize;
    *caps = {};
    caps->dwTotalSize = total;
    caps->dwNeededSize = caps->dwUsedSize = sizeof *caps;
    const DWORD nth = device - vendor().base;
    caps->dwPermanentLineID = nth < 2 ? 100 + nth : 900;  // the vendor's number of what comes later
    return 0;
  });
  start();
  std::uint64_t seen = 0;
  const auto permanent_of_change = [&](bool arrived) {
    const auto change = outbox_.wait_for([&](const wire::fb::Envelope& each) {
      const auto* inventory = each.body_as_Inventory();
      return inventory && !inventory->complete() && inventory->revision() > seen &&
             inventory->lines()->Get(0)->arrived() == arrived;
    });
    if (!change) return std::uint32_t{0};
    const auto* inventory = wire::verified_envelope(*change)->body_as_Inventory();
    seen = inventory->revision();
    return inventory->lines()->Get(0)->permanent();
  };
  std::set<std::uint32_t> ids;
  for (DWORD i = 0; i < 3; ++i) {
    vendor().line_event(nullptr, nullptr, LINE_CREATE, reinterpret_cast<DWORD_PTR>(vendor().provider), 77, 0);
    ids.insert(permanent_of_change(true));
    vendor().line_event(nullptr, nullptr, LINE_REMOVE, vendor().base + 2 + i, 0, 0);
    permanent_of_change(false);
  }
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_NE(*ids.begin(), 0U);
}

std::atomic<int> inside{0};
std::atomic<int> most{0};
std::atomic<bool> meet{false};

LONG overlapping(HDRVLINE, LPDWORD number) {
  const int now = ++inside;
  for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {
  }
  const auto end =
      std::chrono::steady_clock::now() + (meet ? std::chrono::seconds(20) : std::chrono::milliseconds(20));
  while (most < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  --inside;
  *number = 1;
  return 0;
}

TEST_F(LifeTest, SlowLineDelaysNoOther) {
  most = 0;
  meet = true;
  fake_.set<calls::lineGetNumAddressIDs>(
      [](HDRVLINE hdLine, LPDWORD number) -> LONG { return overlapping(hdLine, number); });
  start();
  open_line(0);
  open_line(1);
  const auto one = request<calls::lineGetNumAddressIDs>({line(0), {}});
  const auto two = request<calls::lineGetNumAddressIDs>({line(1), {}});
  EXPECT_EQ(await(one).result, 0);
  EXPECT_EQ(await(two).result, 0);
  EXPECT_EQ(most, 2);
}

TEST_F(LifeTest, NonreentrantVendorIsEnteredByOneAtATime) {
  most = 0;
  meet = false;
  vendor().options = LINETSPIOPTION_NONREENTRANT;
  fake_.set<calls::lineGetNumAddressIDs>(
      [](HDRVLINE hdLine, LPDWORD number) -> LONG { return overlapping(hdLine, number); });
  start();
  open_line(0);
  open_line(1);
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < 8; ++i) ids.push_back(request<calls::lineGetNumAddressIDs>({line(i % 2), {}}));
  for (const auto id : ids) EXPECT_EQ(await(id).result, 0);
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace tsplink::host::test
