// What the broker tells of itself, while desktops share a line.
#include "broker_desks.hpp"

namespace tsplink::host::test {
namespace {

using std::chrono::seconds;

class InspectTest : public BrokerTest {
 protected:
  const InspectedSession* session(const Inspection& all, const std::string& machine) {
    for (const auto& each : all.sessions) {
      if (each.machine == machine) return &each;
    }
    return nullptr;
  }
  static std::string uses(const std::vector<InspectedUse>& all) {
    std::string text;
    for (const auto& each : all)
      text += each.machine + " " + std::to_string(each.session) + " " + std::string(each.right) + "; ";
    return text;
  }
};

TEST_F(InspectTest, SessionsHaveNumbersThatAreNotUsedAgain) {
  broker_.session_down(kBert, "gone");
  clock_.advance(seconds(10));
  broker_.session_up(kBert, {"bert", {"CN=bert", {}}, "127.0.0.2"});
  const auto all = broker_.inspect();
  ASSERT_EQ(all.sessions.size(), 3U);
  EXPECT_EQ(all.sessions[0].number, 1U);
  EXPECT_EQ(all.sessions[1].number, 3U);
  EXPECT_EQ(all.sessions[2].number, 4U);
  EXPECT_EQ(all.sessions[2].id, kBert);
  EXPECT_EQ(all.sessions[2].address, "127.0.0.2");
  EXPECT_EQ(all.sessions[2].since - all.sessions[0].since, seconds(10));
}

TEST_F(InspectTest, LinesSayWhoHasThemAndHow) {
  auto all = broker_.inspect();
  ASSERT_EQ(all.devices.size(), 3U);
  EXPECT_EQ(all.devices[0].state, "closed");
  EXPECT_TRUE(all.devices[2].facts.phone);
  EXPECT_EQ(all.devices[0].facts.provider, "fake");

  const auto asked = request<calls::lineOpen>(kAnna, {kLine, {}, {}, 0x00020002, {}});
  all = broker_.inspect();
  EXPECT_EQ(all.devices[0].state, "opening");
  EXPECT_EQ(all.owed, std::vector<std::size_t>{1});
  vendor();
  ASSERT_EQ(result_of(kAnna, asked), 0);
  open(kBert);
  broker_.set_policy(std::make_shared<Policy>(Policy::everything(wire::Right::Monitor)));
  vendor();
  all = broker_.inspect();
  EXPECT_EQ(all.devices[0].state, "open");
  EXPECT_EQ(uses(all.devices[0].desktops), "anna 1 monitor; bert 2 monitor; ");
  EXPECT_EQ(all.owed, std::vector<std::size_t>{0});
  EXPECT_EQ(session(all, "anna")->opens, 1U);
  EXPECT_EQ(session(all, "carl")->opens, 0U);
}

TEST_F(InspectTest, CallsSayWhoOwnsThemWhereTheyCameFromAndSinceWhen) {
  open(kAnna);
  open(kBert, false);
  run_timers();
  vendor();
  clock_.advance(seconds(5));
  const auto begun = clock_.now();
  new_call(0x501);
  event(Message::kLINE_CALLSTATE, 0x501, LINECALLSTATE_CONNECTED);
  event(Message::kLINE_NEWCALL, 0, 0x502);
  clock_.advance(seconds(5));
  request<calls::lineMakeCall>(kBert, {{}, kLine, {}, {}, u"100", {}, {}});
  vendor();
  const auto all = broker_.inspect();
  ASSERT_EQ(all.calls.size(), 3U);
  EXPECT_EQ(all.devices[0].calls, 3U);
  EXPECT_EQ(all.calls[0].id, 0x501U);
  EXPECT_EQ(all.calls[0].state, "LINECALLSTATE_CONNECTED");
  EXPECT_EQ(all.calls[0].direction, Direction::Incoming);
  EXPECT_EQ(all.calls[0].since, begun);
  EXPECT_EQ(uses(all.calls[0].desktops), "anna 1 owner; bert 2 monitor; ");
  EXPECT_EQ(all.calls[1].direction, Direction::Unknown);
  EXPECT_EQ(all.calls[1].state, "");
  EXPECT_EQ(all.calls[2].direction, Direction::Made);
  EXPECT_EQ(all.calls[2].since - begun, seconds(5));
  EXPECT_EQ(uses(all.calls[2].desktops), "anna 1 owner; bert 2 owner; ")
      << "anna's media detection makes her one too";

  event(Message::kLINE_CALLSTATE, 0x501, LINECALLSTATE_IDLE);
  for (const auto holder : {kAnna, kBert}) request<calls::lineCloseCall>(holder, {0x501});
  vendor();
  EXPECT_EQ(broker_.inspect().calls.size(), 2U);
}

}  // namespace
}  // namespace tsplink::host::test
