// The tables against the headers: every function, parameter and structure has the shape that tspi.h and tapi.h give
// it.
#include <gtest/gtest.h>

#include "constants.hpp"
#include "events.hpp"
#include "functions.hpp"
#include "structures.hpp"
#include "text.hpp"

namespace tsplink::tapisim {
namespace {

TEST(Functions, AreAllThereWithTheirParameters) {
  EXPECT_EQ(functions().size(), 111U);
  for (const auto& function : functions()) EXPECT_EQ(function.params.size(), function.arity) << function.name;
}

TEST(Functions, GiveAPointerWhereTheHeaderHasOne) {
  for (const auto& function : functions()) {
    for (std::size_t i = 0; i < function.params.size(); ++i) {
      const ParamKind kind = function.params[i].kind;
      const bool value = kind == ParamKind::number || kind == ParamKind::request || kind == ParamKind::line_device ||
                         kind == ParamKind::phone_device || kind == ParamKind::tapi_msp ||
                         kind == ParamKind::dialog_object;
      EXPECT_EQ(function.pointers[i], !value) << function.name << " " << function.params[i].name;
    }
  }
}

TEST(Functions, ThatTakeARequestIdAreTheAsynchronousOnes) {
  for (const auto& function : functions())
    EXPECT_EQ(function.async, function.find("dwRequestID") == 0) << function.name;
}

TEST(Structures, HaveTheFieldsWhereTheHeaderHasThem) {
  const Structure* info = find_structure("LINECALLINFO");
  EXPECT_EQ(info->find("CallerID")->at, offsetof(LINECALLINFO, dwCallerIDSize));
  EXPECT_EQ(info->find("CallData")->offset_at, offsetof(LINECALLINFO, dwCallDataOffset));
  const Structure* caps = find_structure("LINEDEVCAPS");
  EXPECT_EQ(caps->find("PermanentLineGuid")->at, offsetof(LINEDEVCAPS, PermanentLineGuid));
  EXPECT_EQ(find_structure("PHONECAPS")->find("PermanentPhoneGuid")->at, offsetof(PHONECAPS, PermanentPhoneGuid));
}

TEST(Structures, AreBuiltFromFieldNames) {
  const Structure& params = *find_structure("LINECALLPARAMS");
  const Bytes bytes =
      build_structure(params, {{"dwMediaMode", "LINEMEDIAMODE_DATAMODEM"}, {"CallingPartyID", "\"12\""}});
  EXPECT_EQ(dword_at(bytes.data(), offsetof(LINECALLPARAMS, dwMediaMode)), DWORD{LINEMEDIAMODE_DATAMODEM});
  EXPECT_EQ(dword_at(bytes.data(), 0), bytes.size());
  EXPECT_EQ(field_text(params, bytes.data(), bytes.size(), "CallingPartyID"), "\"12\"");
  EXPECT_THROW(build_structure(params, {{"dwNoSuchField", "1"}}), std::runtime_error);
}

TEST(Structures, EndInEntriesAsLongAsTheVersionHasThem) {
  const Structure& list = *find_structure("LINEFORWARDLIST");
  std::map<std::string, std::string> values = {{"ForwardList[0].dwForwardMode", "LINEFORWARDMODE_BUSY"},
                                               {"ForwardList[0].DestAddress", "\"12\""},
                                               {"ForwardList[1].dwForwardMode", "LINEFORWARDMODE_NOANSW"},
                                               {"ForwardList[1].CallerAddress", "\"34\""}};
  constexpr std::size_t kHead = offsetof(LINEFORWARDLIST, ForwardList);
  for (const auto& [version, step] : {std::pair(0x00030000U, 24U), std::pair(0x00030001U, 32U)}) {
    const Bytes bytes = build_structure(list, values, version);
    EXPECT_EQ(dword_at(bytes.data(), offsetof(LINEFORWARDLIST, dwNumEntries)), 2U);
    EXPECT_EQ(dword_at(bytes.data(), kHead + step), DWORD{LINEFORWARDMODE_NOANSW});
    EXPECT_EQ(dword_at(bytes.data(), kHead + offsetof(LINEFORWARD, dwDestAddressOffset)) % 4, 0U);
    EXPECT_GE(dword_at(bytes.data(), kHead + offsetof(LINEFORWARD, dwDestAddressOffset)), kHead + 2 * step);
    const auto text = structure_text(list, bytes.data(), bytes.size(), For::comparison, 0, version);
    EXPECT_NE(text.find("DestAddress=\"12\""), std::string::npos) << text;
    EXPECT_NE(text.find("CallerAddress=\"34\""), std::string::npos) << text;
    EXPECT_EQ(text.find("dwDestAddressType") != std::string::npos, step == 32) << text;
  }
  values["ForwardList[3].dwForwardMode"] = "1";
  EXPECT_THROW(build_structure(list, values), std::runtime_error) << "a gap";
  EXPECT_THROW(build_structure(list, {{"ForwardList[0].dwDestAddressType", "1"}}, 0x00030000), std::runtime_error);
}

TEST(Structures, SayNothingByTheirSizeAlone) {
  const Structure& list = *find_structure("LINEFORWARDLIST");
  Bytes bytes = build_structure(list, {{"dwNumEntries", "0"}});
  EXPECT_FALSE(says_anything(list, bytes.data(), bytes.size()));
  bytes = build_structure(list, {{"ForwardList[0].dwForwardMode", "1"}});
  EXPECT_TRUE(says_anything(list, bytes.data(), bytes.size()));
  const Bytes info = build_structure(*find_structure("VARSTRING"), {{"dwUsedSize", "24"}});
  EXPECT_FALSE(says_anything(*find_structure("VARSTRING"), info.data(), info.size()));
}

TEST(Structures, EndWhereTheirVersionEnds) {
  const Structure& params = *find_structure("LINECALLPARAMS");
  const Bytes bytes = build_structure(params, {{"UserUserInfo", "x:0102"}}, 0x00020000);
  EXPECT_EQ(dword_at(bytes.data(), offsetof(LINECALLPARAMS, dwUserUserInfoOffset)), 176U);
  EXPECT_EQ(bytes.size(), 180U);
  EXPECT_THROW(build_structure(params, {{"dwAddressType", "1"}}, 0x00020000), std::runtime_error);
  EXPECT_EQ(structure_text(params, bytes.data(), bytes.size(), For::comparison, 0, 0x00020000),
            "LINECALLPARAMS{UserUserInfo=x:0102}");
}

TEST(Structures, LeaveOutOfComparisonsWhatTapiOwns) {
  const Structure& info = *find_structure("LINECALLINFO");
  const Bytes bytes = build_structure(info, {{"dwNumOwners", "2"}, {"AppName", "\"x\""}, {"dwCallID", "9"}});
  EXPECT_EQ(structure_text(info, bytes.data(), bytes.size(), For::comparison, 0), "LINECALLINFO{dwCallID=9}");
}

// Two packings of one list of treatments: its names before it and behind it.
Bytes treatments(std::size_t padding) {
  const Structure& caps = *find_structure("LINEADDRESSCAPS");
  const Bytes name = parse_bytes("\"music\"", true);
  LINECALLTREATMENTENTRY entry = {LINECALLTREATMENT_MUSIC, static_cast<DWORD>(name.size()), 0};
  entry.dwCallTreatmentNameOffset = static_cast<DWORD>(caps.size + padding);
  Bytes out(caps.size + padding);
  out.insert(out.end(), name.begin(), name.end());
  set_dword(out.data(), offsetof(LINEADDRESSCAPS, dwCallTreatmentListSize), sizeof entry);
  set_dword(out.data(), offsetof(LINEADDRESSCAPS, dwCallTreatmentListOffset), static_cast<DWORD>(out.size()));
  const auto* bytes = reinterpret_cast<const BYTE*>(&entry);
  out.insert(out.end(), bytes, bytes + sizeof entry);
  return out;
}

TEST(Structures, PrintWhatTheirElementsSayWhereverItLies) {
  const Structure& caps = *find_structure("LINEADDRESSCAPS");
  const char* text =
      "LINEADDRESSCAPS{CallTreatmentList=[{dwCallTreatmentID=LINECALLTREATMENT_MUSIC CallTreatmentName=\"music\"}]}";
  for (const std::size_t padding : {0U, 48U}) {
    const Bytes bytes = treatments(padding);
    EXPECT_EQ(structure_text(caps, bytes.data(), bytes.size(), For::comparison, 0), text);
    EXPECT_TRUE(fields_outside(caps, bytes.data(), bytes.size()).empty());
  }
}

TEST(Structures, AreSearchedForWhatLiesOutsideInTheirElementsToo) {
  const Structure& caps = *find_structure("LINEADDRESSCAPS");
  Bytes bytes = treatments(0);
  const std::size_t entry = dword_at(bytes.data(), offsetof(LINEADDRESSCAPS, dwCallTreatmentListOffset));
  set_dword(bytes.data(), entry + offsetof(LINECALLTREATMENTENTRY, dwCallTreatmentNameOffset),
            static_cast<DWORD>(bytes.size() - 2));
  ASSERT_EQ(fields_outside(caps, bytes.data(), bytes.size()).size(), 1U);
  EXPECT_EQ(fields_outside(caps, bytes.data(), bytes.size())[0].rfind("CallTreatmentName is said to be", 0), 0U);
}

TEST(Constants, HaveNamesBothWays) {
  EXPECT_EQ(constant_value("LINECALLSTATE_IDLE"), 1U);
  EXPECT_EQ(constant_value("LINEMEDIAMODE_UNKNOWN|LINEMEDIAMODE_DATAMODEM"), 0x12U);
  EXPECT_FALSE(constant_value("LINECALLSTATE_NONSENSE").has_value());
  EXPECT_EQ(constant_text("LINECALLSTATE", LINECALLSTATE_OFFERING), "LINECALLSTATE_OFFERING");
  EXPECT_EQ(result_text(static_cast<LONG>(LINEERR_INVALCALLHANDLE)), "LINEERR_INVALCALLHANDLE");
  EXPECT_EQ(result_text(static_cast<LONG>(PHONEERR_INUSE)), "PHONEERR_INUSE");
}

TEST(Events, KnowWhatNoTspSends) {
  EXPECT_EQ(events().size(), 28U + 13U);
  EXPECT_FALSE(find_event(DWORD{LINE_REPLY})->sent);
  EXPECT_EQ(find_event(DWORD{LINE_NEWCALL})->name, "LINE_NEWCALL");
}

TEST(Text, SurvivesUtf16) {
  const std::string text = "K\xC3\xB6ln \xF0\x9F\x93\x9E";
  const std::u16string wide = to_utf16(text);
  EXPECT_EQ(to_utf8(wide.c_str()), text);
}

}  // namespace
}  // namespace tsplink::tapisim
