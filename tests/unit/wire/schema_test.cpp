// The printed schema: the committed one, flatc's own reading of encoded bytes, and functions that the sheet never
// saw. flatc's header comes first: its enumerators have the names of tapi.h's macros.
#include "sheet/tspi_calls_generated.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "samples.hpp"
#include "wire/schema.hpp"
#include "wire/trace.hpp"

namespace tsplink::wire::testing {
namespace {

TEST(Schema, CommittedTextIsWhatTheSheetSays) {
  std::ifstream file(TSPLINK_COMMITTED_SCHEMA, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::erase(text, '\r');
  EXPECT_TRUE(text == schema_text()) << "wire/tspi_calls.fbs is not what the sheet says. If the change is meant:\n"
                                        "    build/debug/bin/tsplink_print_schema > wire/tspi_calls.fbs";
}

TEST(Schema, HashFollowsTheText) {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a, reckoned again
  for (const char c : schema_text()) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  EXPECT_EQ(sheet_hash(), hash);
}

template <class Table>
bool accepted(const Bytes& bytes) {
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  return verifier.VerifyBuffer<Table>(nullptr);
}

template <class C, class Request, class Reply>
void flatc_accepts() {
  for (const auto shape : kShapes) {
    SCOPED_TRACE(std::string(C::name));
    Samples samples(7, shape);
    EXPECT_TRUE(accepted<Request>(encode(samples.values<typename C::Inputs>())));
    EXPECT_TRUE(accepted<Reply>(encode(samples.values<typename C::Outputs>())));
  }
}

// Rights decide whether a function has tables, so the sheet is read once for each.
#define TSPLINK_TABLES_Local(function)
#define TSPLINK_TABLES_Monitor(function) \
  flatc_accepts<calls::function, sheet::function##_request, sheet::function##_reply>();
#define TSPLINK_TABLES_Control(function) TSPLINK_TABLES_Monitor(function)
#define TSPLINK_TABLES_MspData(function) TSPLINK_TABLES_Monitor(function)

TEST(Schema, FlatcsReaderAcceptsEveryFunction){
#define TSPI_CALL(function, right, ...) TSPLINK_TABLES_##right(function)
#include "wire/tspi_calls.def"
#undef TSPI_CALL
}

TEST(Schema, NumbersAreThoseOfTheSheet) {
#define TSPI_CALL(function, ...) \
  EXPECT_EQ(static_cast<unsigned>(sheet::Function::function), static_cast<unsigned>(Function::function));
#include "wire/tspi_calls.def"
#undef TSPI_CALL
}

Bytes numbered(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i + 1);
  return bytes;
}

Bytes copied(const flatbuffers::Vector<std::uint8_t>* vector) { return {vector->begin(), vector->end()}; }
std::u16string copied(const flatbuffers::Vector<std::uint16_t>* vector) { return {vector->begin(), vector->end()}; }

// A handle, an optional handle, a new call, a text, numbers, a structure.
TEST(Schema, FlatcReadsARequest) {
  using C = calls::lineMakeCall;
  const auto bytes = encode(C::Inputs{Nothing{}, 0x1122334455667788U, {}, 7, u"555\x4E2D", 49, numbered(180)});
  const auto* table = flatbuffers::GetRoot<sheet::lineMakeCall_request>(bytes.data());
  EXPECT_EQ(table->hdLine(), 0x1122334455667788U);
  EXPECT_EQ(table->lphdCall(), 7U);
  EXPECT_EQ(copied(table->lpszDestAddress()), u"555\x4E2D");
  EXPECT_EQ(table->dwCountryCode(), 49U);
  EXPECT_EQ(copied(table->lpCallParams()), numbered(180));
}

TEST(Schema, FlatcReadsCountedArraysAndDevices) {
  using Config = calls::lineSetDevConfig;
  const auto config = encode(Config::Inputs{99, numbered(3), {}, u"comm"});
  const auto* first = flatbuffers::GetRoot<sheet::lineSetDevConfig_request>(config.data());
  EXPECT_EQ(first->dwDeviceID(), 99U);
  EXPECT_EQ(copied(first->lpDeviceConfig()), numbered(3));
  EXPECT_EQ(copied(first->lpszDeviceClass()), u"comm");

  using Tones = calls::lineMonitorTones;
  const auto tones = encode(Tones::Inputs{5, 6, numbered(2 * sizeof(LINEMONITORTONE)), {}});
  const auto* second = flatbuffers::GetRoot<sheet::lineMonitorTones_request>(tones.data());
  EXPECT_EQ(second->hdCall(), 5U);
  EXPECT_EQ(second->dwToneListID(), 6U);
  EXPECT_EQ(copied(second->lpToneList()), numbered(2 * sizeof(LINEMONITORTONE)));
}

TEST(Schema, FlatcReadsReplies) {
  using Ids = calls::lineGetCallIDs;
  const auto ids = encode(Ids::Outputs{Nothing{}, 1, 2, 3});
  EXPECT_EQ(flatbuffers::GetRoot<sheet::lineGetCallIDs_reply>(ids.data())->lpdwRelatedCallID(), 3U);

  using Made = calls::lineSetupConference;
  const auto made = encode(Made::Outputs{Nothing{}, {}, {}, {}, 4, {}, 5, {}, {}});
  EXPECT_EQ(flatbuffers::GetRoot<sheet::lineSetupConference_reply>(made.data())->lphdConfCall(), 4U);
  EXPECT_EQ(flatbuffers::GetRoot<sheet::lineSetupConference_reply>(made.data())->lphdConsultCall(), 5U);

  using Info = calls::lineGetCallInfo;
  const auto info = encode(Info::Outputs{Nothing{}, numbered(344)});
  EXPECT_EQ(copied(flatbuffers::GetRoot<sheet::lineGetCallInfo_reply>(info.data())->lpCallInfo()), numbered(344));

  using Special = calls::lineDevSpecific;
  const auto special = encode(Special::Outputs{Nothing{}, {}, {}, {}, numbered(9), {}});
  EXPECT_EQ(copied(flatbuffers::GetRoot<sheet::lineDevSpecific_reply>(special.data())->lpParams()), numbered(9));

  using Data = calls::phoneGetData;
  const auto data = encode(Data::Outputs{Nothing{}, {}, numbered(2), {}});
  EXPECT_EQ(copied(flatbuffers::GetRoot<sheet::phoneGetData_reply>(data.data())->lpData()), numbered(2));
}

// --- a function that the sheet does not have
// -------------------------------------------------------------------------

using MadeUp = Description<
    "madeUp", Right::Control, Parameter<"dwRequestID", RequestId>, Parameter<"hdLine", Line>,
    Parameter<"hdCall", CallOrNone>, Parameter<"dwAddressID", AddressId>, Parameter<"htCall", TapiCall>,
    Parameter<"lphdCall", NewCall>, Parameter<"lpszText", Text>, Parameter<"lpsBytes", BytesIn<"dwSize", LPCSTR>>,
    Parameter<"dwSize", Count>, Parameter<"lpParams", LateBytesInOut<"dwParamSize">>, Parameter<"dwParamSize", Count>,
    Parameter<"lpTones", ArrayIn<LINEMONITORTONE, "dwTones">>, Parameter<"dwTones", Count>,
    Parameter<"lpDial", FixedIn<LINEDIALPARAMS>>, Parameter<"lpExtension", FixedOut<LINEEXTENSIONID>>,
    Parameter<"lpCallParams", VarIn<LINECALLPARAMS>>, Parameter<"lpInfo", VarOut<LINECALLINFO>>,
    Parameter<"lpLate", LateVarOut<VARSTRING>>, Parameter<"lpdwNow", DwordOut>, Parameter<"lpdwLater", LateDwordOut>,
    Parameter<"lpBuffer", BytesOut<"dwRoom">>, Parameter<"dwRoom", Capacity>, Parameter<"hwndOwner", Window>>;

TEST(Schema, AMadeUpFunctionNeedsItsEntryAlone) {
  EXPECT_TRUE(MadeUp::asynchronous);
  Samples samples(11);
  const auto inputs = samples.values<MadeUp::Inputs>();
  const auto outputs = samples.values<MadeUp::Outputs>();
  EXPECT_EQ(decode<MadeUp::Inputs>(encode(inputs)), inputs);
  EXPECT_EQ(decode<MadeUp::Outputs>(encode(outputs)), outputs);
  const auto text = schema_tables<MadeUp>();
  EXPECT_NE(
      text.find("table madeUp_request {\n  dwRequestID: ubyte (id: 0, deprecated);\n  hdLine: ulong (id: 1);\n"),
      std::string::npos);
  EXPECT_NE(
      text.find(
          "  lpszText: [ushort] (id: 6);\n  lpsBytes: [ubyte] (id: 7);\n  dwSize: ubyte (id: 8, deprecated);\n"),
      std::string::npos);
  EXPECT_NE(text.find("  hwndOwner: ubyte (id: 22, deprecated);\n}\ntable madeUp_reply {\n"), std::string::npos);
  EXPECT_NE(text.find("  lpdwLater: uint (id: 19);\n  lpBuffer: [ubyte] (id: 20);\n"), std::string::npos);
  EXPECT_NE(trace_inputs<MadeUp>(inputs).find(" hdLine=#"), std::string::npos);
}

}  // namespace
}  // namespace tsplink::wire::testing
