// The judge is judged: a canonical trace of the vendor's with one thing wrong in it must be reported, and the report
// must show the line; the trace itself, played again, must not be.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>

#include "tests/e2e/site.hpp"
#include "text.hpp"

namespace tsplink::conformance {
namespace {

using e2e::difference;
using Lines = std::vector<std::string>;
using Mutation = std::function<void(Lines&)>;

std::string play(const std::string& scenario) {
  const e2e::Site site;
  site.set_pbx(scenario == "msp" ? "addresses_per_line = 2\n" : "");
  return site.canonical({e2e::Site::scenario("conformance/scenarios/" + scenario + ".tap"), "direct"});
}

const std::string& trace_of(const std::string& scenario) {
  static std::map<std::string, std::string> played;
  const auto found = played.find(scenario);
  return found != played.end() ? found->second : played.emplace(scenario, play(scenario)).first->second;
}

/// The first line that has `part`.
Lines::iterator line(Lines& trace, const std::string& part) {
  const auto found =
      std::find_if(trace.begin(), trace.end(), [&](const auto& one) { return one.find(part) != std::string::npos; });
  if (found == trace.end()) throw std::runtime_error("no line has '" + part + "'");
  return found;
}

Mutation change(const std::string& part, const std::string& old, const std::string& put) {
  return [=](Lines& trace) {
    auto& text = *line(trace, part);
    const auto at = text.find(old, text.find(part));
    if (at == std::string::npos) throw std::runtime_error("'" + part + "' is not followed by '" + old + "'");
    text.replace(at, old.size(), put);
  };
}

Mutation cut(const std::string& part, const std::string& rest) {
  return [=](Lines& trace) {
    auto& text = *line(trace, part);
    if (text.find(rest) == std::string::npos) throw std::runtime_error("'" + part + "' is without '" + rest + "'");
    text.erase(text.find(rest));
  };
}

Mutation lose(const std::string& part) {
  return [=](Lines& trace) { trace.erase(line(trace, part)); };
}

Mutation repeat(const std::string& part) {
  return [=](Lines& trace) {
    const auto at = line(trace, part);
    const auto text = *at;
    trace.insert(at, text);
  };
}

Mutation add(const std::string& text, const std::string& before) {
  return [=](Lines& trace) { trace.insert(line(trace, before), text); };
}

Mutation move(const std::string& part, const std::string& before) {
  return [=](Lines& trace) {
    const auto text = *line(trace, part);
    trace.erase(line(trace, part));
    trace.insert(line(trace, before), text);
  };
}

Mutation swap_with_next(const std::string& part) {
  return [=](Lines& trace) {
    const auto at = line(trace, part);
    std::iter_swap(at, at + 1);
  };
}

/// Everything of it: its heading and what is indented below.
Mutation lose_section(const std::string& heading) {
  return [=](Lines& trace) {
    const auto first = std::find(trace.begin(), trace.end(), heading);
    if (first == trace.end()) throw std::runtime_error("no section '" + heading + "'");
    const auto indent = heading.find_first_not_of(' ');
    trace.erase(first, std::find_if(first + 1, trace.end(),
                                    [=](const auto& one) { return one.find_first_not_of(' ') <= indent; }));
  };
}

Lines lines_of(const std::string& trace) {
  auto lines = tapisim::split(trace, '\n');
  lines.pop_back();  // behind the last line's end
  return lines;
}

struct Wrong {
  const char* name;
  const char* scenario;
  Mutation spoil;
};

void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.name; }

std::vector<Wrong> wrong_traces() {
  return {
      // events
      {"event_missing", "call", lose("dwCallState=LINECALLSTATE_ACCEPTED")},
      {"event_twice", "call", repeat("dwCallState=LINECALLSTATE_RINGBACK")},
      {"event_extra", "call",
       add("  LINE_LINEDEVSTATE(htLine=line1, dwDeviceState=LINEDEVSTATE_RINGING, dwDetail1=1, dwDetail2=1)",
           "LINE_NEWCALL")},
      {"events_swapped", "call", swap_with_next("dwDeviceState=LINEDEVSTATE_NUMCALLS")},
      {"states_swapped", "call", swap_with_next("dwCallState=LINECALLSTATE_PROCEEDING")},
      {"state_before_newcall", "call", move("dwCallState=LINECALLSTATE_OFFERING", "LINE_NEWCALL")},
      {"event_before_its_call", "call", move("dwCallState=LINECALLSTATE_ACCEPTED", "lineAccept(")},
      {"event_before_completion", "call", move("dwCallState=LINECALLSTATE_ACCEPTED", "lineAccept request")},
      {"event_after_the_next_call", "call", move("dwCallState=LINECALLSTATE_BUSY", "lineDrop request18")},
      {"event_of_another_device", "messages", move("PHONE_STATE(", "lineClose(")},
      {"event_of_another_call", "call", change("LINE_CALLINFO(", "htCall=call1", "htCall=call2")},
      {"parameter_changed", "call", change("dwCallState=LINECALLSTATE_ACCEPTED", "dwDetail=0", "dwDetail=1")},
      {"parameter_lost", "call",
       change("dwCallState=LINECALLSTATE_OFFERING", "dwDetail=LINEOFFERINGMODE_ACTIVE", "dwDetail=0")},
      {"flag_lost", "call", change("dwCallInfoState=LINECALLINFOSTATE_CALLERID", "|LINECALLINFOSTATE_CALLEDID", "")},
      {"media_mode_changed", "call",
       change("dwCallState=LINECALLSTATE_ACCEPTED", "INTERACTIVEVOICE", "AUTOMATEDVOICE")},
      {"message_changed", "call", change("LINE_ADDRESSSTATE(", "LINE_ADDRESSSTATE", "LINE_LINEDEVSTATE")},
      // completions
      {"completion_missing", "call", lose("lineAnswer request3 completes")},
      {"completion_twice", "call", repeat("lineAnswer request3 completes")},
      {"completion_before_its_call", "call", move("lineAnswer request3 completes", "lineAnswer(")},
      {"completion_of_another_request", "call", change("lineAnswer request3 completes", "request3", "request2")},
      {"completion_failed", "call", change("lineHold request10 completes", " 0", " LINEERR_OPERATIONFAILED")},
      {"completion_succeeded", "call", change("request19 completes", "LINEERR_CALLUNAVAIL", "0")},
      {"error_changed", "call", change("completes LINEERR_DIALPROMPT", "DIALPROMPT", "DIALQUIET")},
      {"late_number_changed", "park", change("lineCompleteCall request9 completes", "ID=0x", "ID=0x1")},
      {"late_text_cut", "park", change("linePark request2 completes 0", "\"*71\"", "\"*7\"")},
      {"late_output_missing", "phone", cut("phoneDevSpecific request9 completes", ", lpParams=")},
      // results, outputs and inputs
      {"result_changed", "call", change("lineSetAppSpecific(", " = 0", " = LINEERR_OPERATIONFAILED")},
      {"failure_became_success", "phone", change("= PHONEERR_INVALDEVICECLASS", "PHONEERR_INVALDEVICECLASS", "0")},
      {"call_missing", "call", lose("lineSetMediaMode(")},
      {"call_twice", "call", repeat("lineSetMediaMode(")},
      {"calls_swapped", "call", swap_with_next("lineGetCallIDs(")},
      {"handle_changed", "call", change("htCall=call2, dwCallState=LINECALLSTATE_DIALING", "call2", "call1")},
      {"line_changed", "call", change("LINE_NEWCALL(", "line1", "line2")},
      {"number_changed", "call", change("lineGetCallAddressID(", "lpdwAddressID=0", "lpdwAddressID=1")},
      {"byte_missing", "call", change("lineGetCallInfo(", "UserUserInfo=x:313233", "UserUserInfo=x:3132")},
      {"byte_changed", "phone", change("phoneGetData(", "lpData=x:27", "lpData=x:26")},
      {"block_cut", "call", change("lineSetCallData(", "4096 bytes", "4095 bytes")},
      {"block_changed", "call", change("lineSetCallData(", "fnv1a d", "fnv1a e")},
      {"text_cut", "call", change("lineGetCallInfo(", "CallerIDName=\"Alice\"", "CallerIDName=\"Alic\"")},
      {"letter_case_changed", "call", change("lineGetCallInfo(", "\"Alice\"", "\"alice\"")},
      {"blanks_changed", "phone", change("phoneGetDisplay(", " Hello  ", " Hello ")},
      {"zero_byte_in_text", "call", change("lineGetDevCaps(", "simpbx", std::string("simp\0x", 6))},
      {"field_missing", "call", change("lineGetCallInfo(", " dwAppSpecific=0x11223344", "")},
      {"field_extra", "call", change("lineGetCallStatus(", "dwCallStateMode=1", "dwCallStateMode=1 dwReserved=1")},
      {"null_became_empty", "call", change("lineDrop(dwRequestID=request18", "=NULL", "=x:")},
      // data of the MSP
      {"msp_data_lost", "msp", lose("LINE_SENDMSPDATA(htLine=line1, htCall=NULL")},
      {"msp_data_twice", "msp", repeat("LINE_SENDMSPDATA(htLine=line1, htCall=NULL")},
      {"msp_data_cut", "msp", change("htMSPLine=msp1, pBuffer", "1032 bytes", "1024 bytes")},
      {"msp_data_swapped", "msp", swap_with_next("htMSPLine=msp1, pBuffer")},
      {"msp_data_to_another", "msp", change("htMSPLine=msp2, pBuffer", "msp2", "msp1")},
      {"msp_answer_lost", "msp", lose("lineReceiveMSPData(hdCall=call1, pBuffer=4128 bytes")},
      {"msp_answers_swapped", "msp", swap_with_next("lineReceiveMSPData(hdCall=call1, pBuffer=x:")},
      {"msp_event_lost", "msp", lose("streaming started")},
      {"msp_stream_lost", "msp", lose_section("  from msp2")},
      // sections
      {"device_lost", "messages", lose_section("line 1")},
      {"last_device_lost", "messages", lose_section("phone 1")},
      {"device_number_changed", "call", change("line 1", "line 1", "line 2")},
      {"shutdown_missing", "call", lose("providerShutdown")},
  };
}

std::multiset<std::string> without(const Lines& some, const Lines& others) {
  std::multiset<std::string> out(some.begin(), some.end());
  for (const auto& one : others) {
    if (const auto found = out.find(one); found != out.end()) out.erase(found);
  }
  return out;
}

/// Each line that only one of the two has is marked as such; where all are in both, one out of place is marked twice.
void expect_shown(const std::string& report, const Lines& right, const Lines& spoilt) {
  const auto said = tapisim::split(report, '\n');
  const auto marked = [&](char mark, const std::string& text) {
    return std::find(said.begin(), said.end(), mark + text) != said.end();
  };
  const auto lost = without(right, spoilt), added = without(spoilt, right);
  for (const auto& one : lost) EXPECT_TRUE(marked('-', one)) << one << "\nis not shown in\n" << report;
  for (const auto& one : added) EXPECT_TRUE(marked('+', one)) << one << "\nis not shown in\n" << report;
  if (!lost.empty() || !added.empty()) return;
  bool moved = false;
  for (std::size_t i = 0; i < right.size(); ++i) {
    moved = moved || (right[i] != spoilt[i] && marked('-', right[i]) && marked('+', right[i]));
  }
  EXPECT_TRUE(moved) << "no line out of place is shown in\n" << report;
}

class Judge : public testing::TestWithParam<Wrong> {};

TEST_P(Judge, SeesAndShows) {
  const auto& right = trace_of(GetParam().scenario);
  const auto right_lines = lines_of(right);
  auto lines = right_lines;
  GetParam().spoil(lines);
  const auto spoilt = tapisim::join(lines, "\n") + "\n";
  ASSERT_NE(right, spoilt) << "the mutation changed nothing";
  expect_shown(difference(right, spoilt), right_lines, lines);
  expect_shown(difference(spoilt, right), lines, right_lines);
  EXPECT_NONFATAL_FAILURE(e2e::expect_same(right, spoilt), difference(right, spoilt));
}

INSTANTIATE_TEST_SUITE_P(Wrong, Judge, testing::ValuesIn(wrong_traces()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(JudgeOfTheRight, IsSilentWhenItIsPlayedAgain) {
  for (const char* scenario : {"call", "messages", "msp", "park", "phone"}) {
    EXPECT_EQ(difference(trace_of(scenario), play(scenario)), "") << scenario;
    e2e::expect_same(trace_of(scenario), trace_of(scenario));
  }
}

TEST(JudgeOfTheEnd, SeesThatItIsMissing) {
  const auto& right = trace_of("call");
  const auto cut = right.substr(0, right.size() / 2);
  EXPECT_NONFATAL_FAILURE(e2e::expect_same(right, cut), "-  lineClose(hdLine=line1) = 0");
  EXPECT_NONFATAL_FAILURE(e2e::expect_same(right, right.substr(0, right.size() - 1)), "No newline at end of file");
  EXPECT_NONFATAL_FAILURE(e2e::expect_same(right, ""), "There is no trace.");
  EXPECT_NONFATAL_FAILURE(e2e::expect_same("", ""), "There is no trace.");
}

}  // namespace
}  // namespace tsplink::conformance
