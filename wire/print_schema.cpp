// tsplink_print_schema: prints wire/tspi_calls.fbs. With --check FILE it prints nothing and says whether FILE is that
// text. With --hash it prints the sheet's hash, as it stands in Hello.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "wire/schema.hpp"

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

namespace {

int check(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::erase(text, '\r');  // a checkout on Windows
  if (file && text == tsplink::wire::schema_text()) return 0;
  std::fprintf(stderr, "%s is not what the sheet says; print it again: tsplink_print_schema > wire/tspi_calls.fbs\n",
               path);
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 3 && std::strcmp(arguments[1], "--check") == 0) return check(arguments[2]);
  if (count == 2 && std::strcmp(arguments[1], "--hash") == 0) {
    return std::printf("%016llx\n", static_cast<unsigned long long>(tsplink::wire::sheet_hash())) < 0;
  }
  if (count != 1) {
    std::fprintf(stderr, "usage: tsplink_print_schema [--check FILE | --hash]\n");
    return 2;
  }
#ifdef _WIN32
  _setmode(_fileno(stdout), _O_BINARY);  // the text has \n everywhere
#endif
  const std::string& text = tsplink::wire::schema_text();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
