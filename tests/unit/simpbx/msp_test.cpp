// Both halves of simpbx together: the TSP behind the fake TAPI, the MSP as TAPI 3 would drive it.
#include <cstring>

#include "tests/msp/msp.hpp"
#include "tests/unit/simpbx/fake_tapi.hpp"

namespace tsplink::simpbx_test {
namespace {

constexpr HTAPIMSPLINE kMspLine = 0x4711;

class Msp : public ::testing::Test {
 protected:
  void SetUp() override {
    line = tapi.open(0);
    GUID clsid{};
    ASSERT_EQ(TSPI(tapi, lineMSPIdentify)(0, &clsid), 0);
    const tests::Module module(tests::program_folder() / SIMPBX_MSP_MODULE);
    const auto create = reinterpret_cast<msp::CreateAddress>(module.symbol("create_msp_address"));
    GUID other = clsid;
    other.Data1 ^= 1;
    EXPECT_EQ(create(&other), nullptr);
    address = create(&clsid);
    ASSERT_NE(address, nullptr);
    ASSERT_EQ(address->Initialize([](void* count) { ++*static_cast<int*>(count); }, &signals), msp::kOk);
    ASSERT_EQ(TSPI(tapi, lineCreateMSPInstance)(line, 0, kMspLine, &hdMSPLine), 0);
  }
  void TearDown() override {
    if (!address) return;
    address->Shutdown();
    address->Release();
  }

  void answer_incoming() {
    tapi.control("incoming line=1 from=1");
    hdCall = tapi.new_call();
    ASSERT_EQ(address->CreateMSPCall(tapi.last_htCall, 8, &call), msp::kOk);
    TSPI(tapi, lineAnswer)(10, hdCall, nullptr, 0);
    ASSERT_TRUE(tapi.state(tapi.last_htCall, LINECALLSTATE_CONNECTED));
  }

  /// TAPI's part: TSP data to the MSP, the MSP's data back; until `enough` events of the TSP were carried in all.
  void carry(std::size_t enough) {
    ASSERT_TRUE(tapi.wait([&](const std::vector<Told>& all) {
      std::size_t count = 0;
      for (const Told& t : all) count += t.kind == Told::line && t.message == static_cast<DWORD>(LINE_SENDMSPDATA);
      return count >= enough;
    }));
    std::size_t at = 0;
    for (const Told& t : tapi.told()) {
      if (t.kind != Told::line || t.message != static_cast<DWORD>(LINE_SENDMSPDATA) || at++ < carried) continue;
      ++carried;
      ASSERT_EQ(address->ReceiveTSPData(t.call ? call : nullptr, t.bytes.data(), static_cast<DWORD>(t.bytes.size())),
                msp::kOk);
    }
    give_back();
  }
  void give_back() {
    msp::EventInfo info{};
    while (address->GetEvent(&info) == msp::kOk) {
      if (info.event == msp::ME_TSP_DATA) {
        std::vector<BYTE> bytes(info.bytes, info.bytes + info.size);
        ASSERT_EQ(
            TSPI(tapi, lineReceiveMSPData)(line, info.call ? hdCall : nullptr, hdMSPLine, bytes.data(), info.size),
            0);
      } else {
        texts.emplace_back(reinterpret_cast<const char*>(info.bytes), info.size);
      }
    }
  }

  FakeTapi tapi;
  HDRVLINE line = nullptr;
  HDRVCALL hdCall = nullptr;
  HDRVMSPLINE hdMSPLine = nullptr;
  msp::Address* address = nullptr;
  msp::CallObject* call = nullptr;
  std::vector<std::string> texts;
  std::size_t carried = 0;
  int signals = 0;
};

TEST_F(Msp, StartsStreamingWhenTheCallIsAnswered) {
  answer_incoming();
  carry(1);
  EXPECT_EQ(texts, std::vector<std::string>{"streaming started"});
  EXPECT_GE(signals, 2);
  EXPECT_NE(tapi.log_text().find("pbx |    call 1: streaming started"), std::string::npos) << tapi.log_text();
  EXPECT_NE(tapi.log_text().find("msp | call "), std::string::npos);
}

TEST_F(Msp, CarriesBlocksBothWays) {
  answer_incoming();
  carry(1);
  EXPECT_EQ(tapi.control("msp call=1 size=65536 seed=1 echo=yes"), "ok blocks=1");
  carry(2);
  EXPECT_EQ(tapi.control("msp call=1 size=16384 seed=9 blocks=64"), "ok blocks=64");
  carry(66);
  ASSERT_EQ(address->Command(call, "send size=65536 seed=7"), msp::kOk);
  ASSERT_EQ(address->Command(call, "send size=4096 seed=3 blocks=256"), msp::kOk);
  ASSERT_EQ(address->Command(call, "status"), msp::kOk);
  give_back();
  EXPECT_EQ(tapi.control("msp status call=1"),
            "ok msp started=yes sent_blocks=65 sent_bytes=1114112 received_blocks=257 received_bytes=1114112 "
            "echoed_blocks=1 echoed_bytes=65536 mismatches=0 foreign=0");
  ASSERT_FALSE(texts.empty());
  EXPECT_NE(texts.back().find("received_blocks=65 received_bytes=1114112"), std::string::npos) << texts.back();
  EXPECT_NE(texts.back().find("mismatches=0"), std::string::npos);
}

TEST_F(Msp, FindsAChangedByte) {
  answer_incoming();
  carry(1);
  ASSERT_EQ(address->Command(call, "send size=300 seed=1"), msp::kOk);
  msp::EventInfo info{};
  ASSERT_EQ(address->GetEvent(&info), msp::kOk);
  std::vector<BYTE> bytes(info.bytes, info.bytes + info.size);
  bytes[200] ^= 1;
  EXPECT_EQ(TSPI(tapi, lineReceiveMSPData)(line, hdCall, hdMSPLine, bytes.data(), info.size), 0);
  EXPECT_NE(tapi.control("msp status call=1").find("foreign=1"), std::string::npos);
}

TEST_F(Msp, AddressesHaveDataToo) {
  EXPECT_EQ(tapi.control("msp line=1 size=1000 seed=5 echo=yes"), "ok blocks=1");
  carry(1);
  EXPECT_NE(tapi.control("msp status line=1").find("echoed_bytes=1000 mismatches=0"), std::string::npos);
}

TEST_F(Msp, RefusesUnknownCallsAndInstances) {
  BYTE byte = 1;
  EXPECT_EQ(TSPI(tapi, lineReceiveMSPData)(line, reinterpret_cast<HDRVCALL>(0x99), hdMSPLine, &byte, 1),
            static_cast<LONG>(LINEERR_INVALCALLHANDLE));
  EXPECT_EQ(TSPI(tapi, lineCloseMSPInstance)(hdMSPLine), 0);
  EXPECT_EQ(TSPI(tapi, lineReceiveMSPData)(line, nullptr, hdMSPLine, &byte, 1),
            static_cast<LONG>(LINEERR_INVALPARAM));
  EXPECT_EQ(tapi.control("msp line=1 size=10"), "error Line 1 has no MSP instance.");
}

}  // namespace
}  // namespace tsplink::simpbx_test
