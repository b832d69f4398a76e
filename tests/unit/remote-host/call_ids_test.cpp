// dwCallID in a scope of its own: two vendors that count alike do not seem to share calls.
#include "remote-host/worker/call_ids.hpp"

#include <set>

#include "fake_vendor.hpp"

namespace tsplink::host::test {
namespace {

TEST(CallIdsTest, AreFixedForEver) {
  const CallIds ids("berlin", "simpbx");
  EXPECT_EQ(ids.of(1), CallIds("berlin", "simpbx").of(1));
  EXPECT_EQ(ids.of(1), 1072178280U);
  EXPECT_EQ(ids.of(0), 0U);
}

TEST(CallIdsTest, AreOneToOneAndMeetNoOtherScopes) {
  const CallIds one("", "first"), other("", "second");
  std::set<std::uint32_t> seen;
  constexpr std::uint32_t kCalls = 20000;
  for (std::uint32_t id = 0; id < kCalls; ++id) {
    seen.insert(one.of(id));
    seen.insert(one.of(0xFFFFFFFF - id));
    seen.insert(other.of(id));
  }
  EXPECT_EQ(seen.size(), 3 * kCalls - 1);  // 0 is theirs together
}

class ScopedCallIdTest : public WorkerTest {
 protected:
  ScopedCallIdTest() {
    fake_.set<calls::lineMakeCall>(
        [](DRV_REQUESTID request, HDRVLINE, HTAPICALL, LPHDRVCALL slot, LPCWSTR, DWORD, LPLINECALLPARAMS) -> LONG {
          *slot = call_handle(1);
          vendor().completion(request, 0);
          return static_cast<LONG>(request);
        });
    fake_.set<calls::lineGetCallIDs>([](HDRVCALL, LPDWORD address, LPDWORD id, LPDWORD related) -> LONG {
      *address = 0;
      *id = 7;
      *related = 6;
      return 0;
    });
    fake_.set<calls::lineGetCallInfo>([](HDRVCALL, LPLINECALLINFO info) -> LONG {
      info->dwNeededSize = info->dwUsedSize = sizeof *info;
      info->dwCallID = 7;
      info->dwRelatedCallID = 6;
      return 0;
    });
  }

  /// dwCallID and dwRelatedCallID: of lineGetCallIDs, then of LINECALLINFO.
  std::vector<std::uint32_t> ids() {
    open_line();
    const auto made = run<calls::lineMakeCall>({{}, line(), {}, {}, {}, {}, {}});
    const auto call = std::get<3>(wire::decode<calls::lineMakeCall::Outputs>(made.outputs));
    const auto asked = run<calls::lineGetCallIDs>({call, {}, {}, {}});
    const auto answer = wire::decode<calls::lineGetCallIDs::Outputs>(asked.outputs);
    const auto told = run<calls::lineGetCallInfo>({call, sizeof(LINECALLINFO)});
    const auto block =
        std::get<1>(wire::decode<calls::lineGetCallInfo::Outputs>(told.outputs)).value_or(wire::Bytes());
    LINECALLINFO info{};
    std::memcpy(&info, block.data(), std::min(block.size(), sizeof info));
    return {std::get<2>(answer), std::get<3>(answer), info.dwCallID, info.dwRelatedCallID};
  }
};

TEST_F(ScopedCallIdTest, AreTheVendorsOwnWithoutTheOption) {
  start();
  EXPECT_EQ(ids(), (std::vector<std::uint32_t>{7, 6, 7, 6}));
}

TEST_F(ScopedCallIdTest, AreTheSameInBothPlaces) {
  options_.call_ids.emplace("", "fake");
  start();
  const auto own = options_.call_ids->of(7);
  const auto related = options_.call_ids->of(6);
  EXPECT_NE(own, 7U);
  EXPECT_EQ(ids(), (std::vector<std::uint32_t>{own, related, own, related}));
}

}  // namespace
}  // namespace tsplink::host::test
