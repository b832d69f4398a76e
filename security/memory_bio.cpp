#include "security/memory_bio.hpp"

#include <algorithm>
#include <cstring>

#include "security/errors.hpp"

namespace tsplink::security {
namespace {

MemoryChannel& channel_of(BIO* bio) { return *static_cast<MemoryChannel*>(BIO_get_data(bio)); }

int read_bytes(BIO* bio, char* data, std::size_t size, std::size_t* read) {
  BIO_clear_retry_flags(bio);
  MemoryChannel& channel = channel_of(bio);
  const std::size_t count = std::min(size, channel.input.size());
  if (count > channel.allowance) {
    channel.allowance_exceeded = true;
    return 0;
  }
  if (count == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(data, channel.input.data(), count);
  channel.input = channel.input.subspan(count);
  channel.allowance -= count;
  *read = count;
  return 1;
}

int write_bytes(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
  BIO_clear_retry_flags(bio);
  auto& output = channel_of(bio).output;
  try {
    output.insert(output.end(), data, data + size);
  } catch (const std::exception&) {
    return 0;  // out of memory must not cross OpenSSL's C code; the engine fails instead
  }
  *written = size;
  return 1;
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

}  // namespace

BioMethodPtr make_memory_method() {
  BioMethodPtr method(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "tsplink memory"));
  if (method == nullptr || BIO_meth_set_read_ex(method.get(), read_bytes) != 1 ||
      BIO_meth_set_write_ex(method.get(), write_bytes) != 1 || BIO_meth_set_ctrl(method.get(), control) != 1) {
    throw Error("out of memory while preparing TLS");
  }
  return method;
}

BioPtr new_memory_bio(const BIO_METHOD* method, MemoryChannel& channel) {
  BioPtr bio(BIO_new(method));
  if (bio == nullptr) throw Error("out of memory while preparing a TLS connection");
  BIO_set_data(bio.get(), &channel);
  BIO_set_init(bio.get(), 1);
  return bio;
}

}  // namespace tsplink::security
