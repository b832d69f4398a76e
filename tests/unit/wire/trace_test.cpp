// Trace lines: what a person reads in a log.
#include <gtest/gtest.h>

#include "envelope_frames.hpp"
#include "samples.hpp"
#include "wire/events.hpp"
#include "wire/trace.hpp"

namespace tsplink::wire::testing {
namespace {

std::string line_of(const std::string& kind, std::optional<Function> function = std::nullopt) {
  for (const auto& [name, frame] : one_frame_of_each_kind()) {
    if (name == kind) return trace_frame(*frame, function);
  }
  return "";
}

TEST(Trace, OneLineForEachKind) {
  EXPECT_EQ(line_of("request"),
            "Request 17 lineMakeCall hdLine=#3f0c lphdCall=#15 lpszDestAddress=\"5550100\" dwCountryCode=0 "
            "lpCallParams=180 bytes deadline=5000 trace=000000000000abcd");
  EXPECT_EQ(line_of("reply"), "Reply 18 -> 0 outputs=32 bytes");
  EXPECT_EQ(line_of("reply", Function::lineGetCallIDs),
            "Reply 18 lineGetCallIDs -> 0 lpdwAddressID=1 lpdwCallID=2 lpdwRelatedCallID=3");
  EXPECT_EQ(line_of("completion", Function::lineMakeCall),
            "Completion 17 lineMakeCall -> LINEERR_CALLUNAVAIL lphdCall=#77 call_info=20 bytes call_status=12 bytes");
  EXPECT_EQ(line_of("event"),
            "Event LINE_CALLSTATE device=#102030405060708 call=#1112131415161718 LINECALLSTATE_OFFERING 2=0 3=4 "
            "call_info=20 bytes call_status=12 bytes");
  EXPECT_EQ(line_of("event-data"), "Event LINE_SENDMSPDATA device=#9 1=0 data=33 bytes");
  EXPECT_EQ(line_of("inventory"), "Inventory complete revision=3 lines=1 phones=1");
  EXPECT_EQ(line_of("hello"),
            "Hello protocol=1..2 sheet=#1234 product=\"1.2.3\" machine=\"desk-7\" pointer_bits=64 resumes");
  EXPECT_EQ(line_of("welcome"),
            "Welcome protocol=1 sheet=#1234 product=\"1.2.3\" session=#2a heartbeat=1000 max_frame=1048576");
  EXPECT_EQ(line_of("ack"), "Ack");
  EXPECT_EQ(line_of("ping"), "Ping stamp=5");
  EXPECT_EQ(line_of("pong"), "Pong stamp=5");
  EXPECT_EQ(line_of("bye"), "Bye reason=\"update the desktop \\\"now\\\"\" refused");
}

TEST(Trace, WhatIsWrongIsSaid) {
  EXPECT_EQ(trace_frame(Bytes(13)), "malformed frame of 13 bytes");
  EXPECT_EQ(trace_frame(*make_request(1, 60000, 0, 0, Bytes(8))),
            "Request 1 unknown function 60000, 8 bytes deadline=0 trace=0000000000000000");
  EXPECT_EQ(trace_frame(*make_request(1, static_cast<std::uint16_t>(Function::lineHold), 0, 0, Bytes(5))),
            "Request 1 lineHold malformed values of 5 bytes deadline=0 trace=0000000000000000");
  EXPECT_EQ(trace_frame(*make_request(1, static_cast<std::uint16_t>(Function::providerInit), 0, 0, Bytes())),
            "Request 1 providerInit, which never crosses deadline=0 trace=0000000000000000");
  EventValues event;
  event.message = 999;
  EXPECT_EQ(trace_frame(*make_event(event)), "Event unknown message 999 1=0 2=0 3=0");
}

TEST(Trace, ALineStaysALine) {
  using C = calls::lineDial;
  C::Inputs inputs{};
  std::get<2>(inputs) = u"1\n\"\x4E2D" + std::u16string(30000, u'9');
  const auto text = trace_inputs<C>(inputs);
  EXPECT_NE(text.find("lpszDestAddress=\"1\\u000a\\\"\\u4e2d999"), std::string::npos) << text;
  EXPECT_NE(text.find("... (30004 characters)"), std::string::npos) << text;
  for_each_call([]<class D, Function F>() {
    for (const auto shape : kShapes) {
      Samples samples(1, shape);
      const auto line = trace_frame(
          *make_request(1, static_cast<std::uint16_t>(F), 0, 0, encode(samples.values<typename D::Inputs>())));
      EXPECT_LE(line.size(), kMaxTraceLine);
      for (const char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7F) << at<D>("trace", F);
    }
  });
}

}  // namespace
}  // namespace tsplink::wire::testing
