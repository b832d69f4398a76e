// Three desktops on one line: what each asks for by itself, and what the vendor is told for all of them.
#include "broker_desks.hpp"

namespace tsplink::host::test {
namespace {

class SharingTest : public BrokerTest {
 protected:
  void open_all() {
    for (const auto session : {kAnna, kBert, kCarl}) open(session);
  }
  /// A call that all three hold.
  void ring() {
    open_all();
    new_call(0x77);
    for (const auto session : {kAnna, kBert, kCarl}) hears(session);
  }
};

TEST_F(SharingTest, DigitsAndMediaOfACallAreMonitoredForAllAndHeardByThoseWhoAsked) {
  ring();
  request<calls::lineMonitorDigits>(kAnna, {0x77, LINEDIGITMODE_DTMF});
  EXPECT_EQ(vendor(), Names{"lineMonitorDigits"});
  request<calls::lineMonitorDigits>(kBert, {0x77, LINEDIGITMODE_DTMF});
  EXPECT_EQ(vendor(), Names{});  // it costs the vendor nothing
  request<calls::lineMonitorDigits>(kBert, {0x77, LINEDIGITMODE_PULSE});
  EXPECT_EQ(vendor(), Names{"lineMonitorDigits"});
  EXPECT_EQ(given<calls::lineMonitorDigits>(), DWORD{LINEDIGITMODE_DTMF | LINEDIGITMODE_PULSE});
  event(Message::kLINE_MONITORDIGITS, 0x77, '5', LINEDIGITMODE_DTMF);
  event(Message::kLINE_MONITORDIGITS, 0x77, '6', LINEDIGITMODE_PULSE);
  EXPECT_EQ(hears(kAnna), Names{"LINE_MONITORDIGITS 53"});
  EXPECT_EQ(hears(kBert), Names{"LINE_MONITORDIGITS 54"});
  EXPECT_EQ(hears(kCarl), Names{});

  request<calls::lineMonitorMedia>(kCarl, {0x77, LINEMEDIAMODE_G3FAX});
  EXPECT_EQ(vendor(), Names{"lineMonitorMedia"});
  event(Message::kLINE_MONITORMEDIA, 0x77, LINEMEDIAMODE_G3FAX);
  EXPECT_EQ(hears(kCarl), Names{"LINE_MONITORMEDIA " + std::to_string(LINEMEDIAMODE_G3FAX)});
  EXPECT_EQ(hears(kAnna), Names{});

  // Who lets go of the call takes only his own part along.
  request<calls::lineCloseCall>(kBert, {0x77});
  EXPECT_EQ(vendor(), Names{"lineMonitorDigits"});
  EXPECT_EQ(given<calls::lineMonitorDigits>(), DWORD{LINEDIGITMODE_DTMF});
  event(Message::kLINE_MONITORDIGITS, 0x77, '7', LINEDIGITMODE_DTMF);
  EXPECT_EQ(hears(kAnna), Names{"LINE_MONITORDIGITS 55"});
}

TEST_F(SharingTest, AMaskThatTheVendorRefusesIsTakenBack) {
  ring();
  request<calls::lineMonitorDigits>(kAnna, {0x77, LINEDIGITMODE_DTMF});
  vendor();
  const auto refused = request<calls::lineMonitorDigits>(kBert, {0x77, LINEDIGITMODE_PULSE});
  answer(take("lineMonitorDigits"), static_cast<LONG>(LINEERR_INVALDIGITMODE));
  EXPECT_EQ(result_of(kBert, refused), static_cast<LONG>(LINEERR_INVALDIGITMODE));
  request<calls::lineMonitorDigits>(kCarl, {0x77, LINEDIGITMODE_DTMF});
  EXPECT_EQ(vendor(), Names{});  // what it had stands
  event(Message::kLINE_MONITORDIGITS, 0x77, '6', LINEDIGITMODE_PULSE);
  EXPECT_EQ(hears(kBert), Names{});
}

TEST_F(SharingTest, DigitsThatOneDesktopGathersAreItsOwn) {
  ring();
  const auto gather = [&](SessionId session, std::uint32_t number) {
    request<calls::lineGatherDigits>(session, {0x77, number, LINEDIGITMODE_DTMF, 1, 4, std::nullopt, 0, 0});
    EXPECT_EQ(vendor(), Names{"lineGatherDigits"});
    return given<calls::lineGatherDigits>();
  };
  // Both applications chose the same number, as most do.
  const auto of_anna = gather(kAnna, 0);
  const auto of_bert = gather(kBert, 0);
  EXPECT_NE(of_anna, of_bert);
  event(Message::kLINE_GATHERDIGITS, 0x77, LINEGATHERTERM_CANCEL, of_anna);  // a new one ends the old
  EXPECT_EQ(hears(kAnna), Names{"LINE_GATHERDIGITS " + std::to_string(LINEGATHERTERM_CANCEL)});
  event(Message::kLINE_GATHERDIGITS, 0x77, LINEGATHERTERM_BUFFERFULL, of_bert);
  EXPECT_EQ(hears(kBert), Names{"LINE_GATHERDIGITS 1"});
  event(Message::kLINE_GATHERDIGITS, 0x77, LINEGATHERTERM_BUFFERFULL, of_bert);  // a vendor that says it twice
  event(Message::kLINE_GATHERDIGITS, 0x77, LINEGATHERTERM_BUFFERFULL, 4711);
  for (const auto session : {kAnna, kBert, kCarl}) EXPECT_EQ(hears(session), Names{});
}

TEST_F(SharingTest, EachNumberComesBackAsItsDesktopGaveIt) {
  ring();
  const auto back = [&](SessionId session) {
    for (const auto& [to, buffer] : heard_) {
      if (to != session) continue;
      const auto* event = wire::verified_envelope(*buffer)->body_as_Event();
      if (event && event->message() == static_cast<std::uint16_t>(Message::kLINE_MONITORTONE)) return event->param2();
      if (event && event->message() == static_cast<std::uint16_t>(Message::kLINE_GENERATE)) return event->param2();
    }
    return std::uint64_t{0};
  };
  request<calls::lineGenerateDigits>(kAnna, {0x77, 31, LINEDIGITMODE_DTMF, u"12", 0});
  vendor();
  const auto generated = given<calls::lineGenerateDigits>();
  request<calls::lineMonitorTones>(kBert, {0x77, 32, {}, {}});
  vendor();
  const auto tones = given<calls::lineMonitorTones>();
  EXPECT_NE(generated, tones);
  event(Message::kLINE_GENERATE, 0x77, LINEGENERATETERM_DONE, generated);
  EXPECT_EQ(back(kAnna), 31U);
  for (int i = 0; i < 3; ++i) {  // tones come as often as they sound
    heard_.clear();
    event(Message::kLINE_MONITORTONE, 0x77, 5, tones);
    EXPECT_EQ(back(kBert), 32U);
    EXPECT_EQ(heard_.size(), 1U);
  }
}

TEST_F(SharingTest, ARefusedRequestsNumberIsNobodys) {
  ring();
  request<calls::lineGenerateDigits>(kAnna, {0x77, 31, LINEDIGITMODE_DTMF, u"12", 0});
  const auto asked = take("lineGenerateDigits");
  last_ = asked;
  answer(asked, static_cast<LONG>(LINEERR_INVALDIGITS));
  event(Message::kLINE_GENERATE, 0x77, LINEGENERATETERM_DONE, given<calls::lineGenerateDigits>());
  EXPECT_EQ(hears(kAnna), Names{});
}

TEST_F(SharingTest, AVendorThatSaysNoEndCannotMakeTheHostRemember) {
  ring();
  std::vector<std::uint32_t> given_numbers;
  for (int i = 0; i < 17; ++i) {
    request<calls::lineGenerateDigits>(kAnna, {0x77, 31, LINEDIGITMODE_DTMF, u"12", 0});
    vendor();
    given_numbers.push_back(given<calls::lineGenerateDigits>());
  }
  event(Message::kLINE_GENERATE, 0x77, LINEGENERATETERM_DONE, given_numbers.front());
  EXPECT_EQ(hears(kAnna), Names{});
  event(Message::kLINE_GENERATE, 0x77, LINEGENERATETERM_DONE, given_numbers[1]);
  EXPECT_EQ(hears(kAnna), Names{"LINE_GENERATE 1"});
}

TEST_F(SharingTest, TheFirstWhoSelectsAnExtensionVersionDecides) {
  open_all();
  const auto select = [&](SessionId session, std::uint32_t version) {
    const auto id = request<calls::lineSelectExtVersion>(session, {kLine, version});
    vendor();
    return result_of(session, id);
  };
  const auto negotiate = [&](SessionId session, std::uint32_t low, std::uint32_t high) {
    return request<calls::lineNegotiateExtVersion>(session, {kLine, 0x00020002, low, high, {}});
  };
  EXPECT_EQ(select(kAnna, 3), 0);
  EXPECT_EQ(given<calls::lineSelectExtVersion>(), 3U);
  EXPECT_EQ(select(kBert, 4), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  EXPECT_EQ(result_of(kBert, negotiate(kBert, 4, 9)), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  const auto agreed = negotiate(kBert, 1, 9);
  ASSERT_EQ(result_of(kBert, agreed), 0);
  constexpr auto at = calls::lineNegotiateExtVersion::position("lpdwExtVersion");
  EXPECT_EQ(std::get<at>(outputs_of<calls::lineNegotiateExtVersion>(kBert, agreed)), 3U);
  EXPECT_EQ(vendor(), Names{});
  request<calls::lineSelectExtVersion>(kBert, {kLine, 3});
  EXPECT_EQ(vendor(), Names{});  // in force already

  // It stays as long as one uses it.
  EXPECT_EQ(select(kAnna, 0), 0);
  EXPECT_EQ(select(kCarl, 4), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  request<calls::lineClose>(kBert, {kLine});
  EXPECT_EQ(vendor(), Names{"lineSelectExtVersion"});
  EXPECT_EQ(given<calls::lineSelectExtVersion>(), 0U);
  EXPECT_EQ(select(kCarl, 4), 0);
}

TEST_F(SharingTest, AnExtensionVersionThatTheVendorRefusesBindsNobody) {
  open_all();
  const auto refused = request<calls::lineSelectExtVersion>(kAnna, {kLine, 3});
  answer(take("lineSelectExtVersion"), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  EXPECT_EQ(result_of(kAnna, refused), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  const auto chosen = request<calls::lineSelectExtVersion>(kBert, {kLine, 4});
  EXPECT_EQ(vendor(), Names{"lineSelectExtVersion"});
  EXPECT_EQ(result_of(kBert, chosen), 0);
}

TEST_F(SharingTest, AnExtensionVersionThatTheVendorRefusesToTwoAtOnceBindsNobody) {
  open_all();
  const auto of_anna = request<calls::lineSelectExtVersion>(kAnna, {kLine, 3});
  const auto of_bert = request<calls::lineSelectExtVersion>(kBert, {kLine, 3});
  for (int i = 0; i < 2; ++i) answer(take("lineSelectExtVersion"), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  EXPECT_EQ(result_of(kAnna, of_anna), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  EXPECT_EQ(result_of(kBert, of_bert), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  const auto chosen = request<calls::lineSelectExtVersion>(kCarl, {kLine, 4});
  EXPECT_EQ(vendor(), Names{"lineSelectExtVersion"});
  EXPECT_EQ(result_of(kCarl, chosen), 0);
}

TEST_F(SharingTest, AVersionInForceStaysWhenTheVendorRefusesItsUserAnother) {
  open_all();
  request<calls::lineSelectExtVersion>(kAnna, {kLine, 3});
  vendor();
  const auto refused = request<calls::lineSelectExtVersion>(kAnna, {kLine, 4});
  answer(take("lineSelectExtVersion"), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  EXPECT_EQ(result_of(kAnna, refused), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
  const auto other = request<calls::lineSelectExtVersion>(kBert, {kLine, 4});
  EXPECT_EQ(vendor(), Names{});
  EXPECT_EQ(result_of(kBert, other), static_cast<LONG>(LINEERR_INCOMPATIBLEEXTVERSION));
}

TEST_F(SharingTest, ALateComerHearsOfAConferenceBeforeTheCallsThatAreInIt) {
  open(kAnna);
  new_call(0x77, LINECALLSTATE_CONNECTED);
  event(Message::kLINE_NEWCALL, 0, 0x88);
  event(Message::kLINE_CALLSTATE, 0x88, LINECALLSTATE_CONNECTED);
  event(Message::kLINE_CALLSTATE, 0x77, LINECALLSTATE_CONFERENCED, 0x88);
  open(kBert);
  EXPECT_EQ(hears(kBert),
            (Names{"LINE_NEWCALL 119", "LINE_NEWCALL 136", "LINE_CALLSTATE 2048", "LINE_CALLSTATE 256"}));
}

}  // namespace
}  // namespace tsplink::host::test
