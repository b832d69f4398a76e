#include "wire/errors.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>

namespace tsplink::wire {
namespace {

LONG code(std::uint32_t value) { return static_cast<LONG>(value); }

std::map<std::string, LONG> errors_of_header() {
  std::ifstream file(std::string(TSPLINK_TAPI_FOLDER) + "/tapi.h");
  const std::regex define(R"(#define ((?:LINE|PHONE)ERR_\w+) (0[xX][0-9A-Fa-f]+))");
  std::map<std::string, LONG> errors;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_search(line, match, define))
      errors[match[1]] = code(static_cast<std::uint32_t>(std::stoul(match[2], nullptr, 16)));
  }
  return errors;
}

TEST(Errors, EveryErrorOfTheHeaderHasItsName) {
  const auto errors = errors_of_header();
  ASSERT_GT(errors.size(), 120U);
  for (const auto& [name, value] : errors) EXPECT_EQ(name, error_name(value));
}

TEST(Errors, NamesOfWhatIsNoError) {
  EXPECT_STREQ("0", error_name(0));
  EXPECT_STREQ("request id", error_name(17));
  EXPECT_STREQ("unknown error", error_name(-5));
  EXPECT_STREQ("unknown error", error_name(code(0x80000004)));
}

TEST(Errors, AVendorsCodeOfTheOtherFamilyIsTranslated) {
  for (const auto& [name, value] : errors_of_header()) {
    SCOPED_TRACE(name);
    for (const Family family : {Family::Line, Family::Phone}) {
      const std::string prefix = family == Family::Line ? "LINEERR_" : "PHONEERR_";
      const std::string translated = error_name(to_family(value, family));
      EXPECT_EQ(prefix, translated.substr(0, prefix.size()));
      if (name.rfind(prefix, 0) == 0) {
        EXPECT_EQ(name, translated);
      }
    }
  }
  EXPECT_STREQ("PHONEERR_NOMEM", error_name(to_family(code(LINEERR_NOMEM), Family::Phone)));
  EXPECT_STREQ("PHONEERR_INVALPHONEHANDLE", error_name(to_family(code(LINEERR_INVALLINEHANDLE), Family::Phone)));
  EXPECT_STREQ("LINEERR_INVALLINESTATE", error_name(to_family(code(PHONEERR_INVALPHONESTATE), Family::Line)));
  EXPECT_STREQ("PHONEERR_OPERATIONFAILED", error_name(to_family(code(LINEERR_DIALBILLING), Family::Phone)));
  EXPECT_STREQ("LINEERR_OPERATIONFAILED", error_name(to_family(code(PHONEERR_INVALBUTTONMODE), Family::Line)));
}

TEST(Errors, SuccessRequestIdsAndNumbersOfALaterTapiPass) {
  for (const Family family : {Family::Line, Family::Phone}) {
    EXPECT_EQ(0, to_family(0, family));
    EXPECT_EQ(4711, to_family(4711, family));
  }
  EXPECT_EQ(code(0x80000099), to_family(code(0x80000099), Family::Line));
  EXPECT_EQ(code(PHONEERR_OPERATIONFAILED), to_family(code(0x80000099), Family::Phone));
  EXPECT_EQ(code(LINEERR_OPERATIONFAILED), to_family(-1, Family::Line));
}

TEST(Errors, EveryKindOfFailureHasACodeInBothFamilies) {
  for (const Kind kind : {Kind::Malformed, Kind::TooLarge, Kind::NoSuchObject, Kind::LinkDown, Kind::DeadlinePassed,
                          Kind::Unavailable, Kind::Configuration, Kind::Internal}) {
    for (const Object object : {Object::Device, Object::Call, Object::DeviceId}) {
      EXPECT_EQ(0, std::string(error_name(to_error(kind, Family::Line, object))).rfind("LINEERR_", 0));
      EXPECT_EQ(0, std::string(error_name(to_error(kind, Family::Phone, object))).rfind("PHONEERR_", 0));
    }
  }
  EXPECT_EQ(code(LINEERR_OPERATIONFAILED), to_error(Failure(Kind::LinkDown, "The host is away."), Family::Line));
  EXPECT_EQ(code(PHONEERR_OPERATIONUNAVAIL), to_error(Kind::Unavailable, Family::Phone));
  EXPECT_EQ(code(LINEERR_INVALLINEHANDLE), to_error(Kind::NoSuchObject, Family::Line));
  EXPECT_EQ(code(LINEERR_INVALCALLHANDLE), to_error(Kind::NoSuchObject, Family::Line, Object::Call));
  EXPECT_EQ(code(PHONEERR_INVALPHONEHANDLE), to_error(Kind::NoSuchObject, Family::Phone));
  EXPECT_EQ(code(LINEERR_BADDEVICEID), to_error(Kind::NoSuchObject, Family::Line, Object::DeviceId));
  EXPECT_EQ(code(LINEERR_NOMEM), to_error(Kind::TooLarge, Family::Line));
}

}  // namespace
}  // namespace tsplink::wire
