// Calls any TSPI function by its description: makes ids, handles and buffers, calls on a pool thread, checks what
// came back, and writes trace and canonical trace. Nothing in it knows a single function except where TAPI itself
// does. Owner: main. Any thread may call.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include "frame.hpp"
#include "pool.hpp"
#include "tests/platform/process.hpp"
#include "world.hpp"

namespace tsplink::tapisim {

/// Ends the run: a rule is broken, or the scenario went another way than it says.
class Stop : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Outcome {
  LONG result = 0;
  const Function* function = nullptr;
  Request* request = nullptr;  // asynchronous functions
  std::vector<Object*> made;
  std::shared_ptr<Frame> frame;
  bool exported = true;
};

enum class Show { everywhere, trace_only };

class Caller {
 public:
  Caller(World& world, const tests::Module& module, std::chrono::milliseconds limit)
      : world_(world), module_(module), limit_(limit) {}

  /// device: for dwDeviceID when the arguments name none; section: null to derive it from the handles.
  Outcome call(const Function& function, const Arguments& arguments, Section* section = nullptr,
               Show show = Show::everywhere);
  bool exports(const std::string& function) const { return module_.symbol("TSPI_" + function) != nullptr; }

  World& world() { return world_; }

 private:
  struct Attempt;
  void prepare(Attempt& attempt, const Arguments& arguments);
  void invoke(Attempt& attempt);
  void settle(Attempt& attempt);
  void settle_request(Attempt& attempt);
  void settle_new_objects(Attempt& attempt, bool success);
  void after_close(Attempt& attempt, const Arguments& arguments);
  void emit(Attempt& attempt, Show show);
  bool lacks_room(const Attempt& attempt) const;
  DWORD wanted_size(const Attempt& attempt, const Arguments& arguments) const;

  World& world_;
  const tests::Module& module_;
  const std::chrono::milliseconds limit_;
  std::mutex one_at_a_time_;  // for a provider that says LINETSPIOPTION_NONREENTRANT
  Pool pool_;
};

/// ASYNC_COMPLETION, with the world locked.
void complete(World& world, DWORD id, LONG result);

/// The digits in the buffer of a call's lineGatherDigits, as text for the message that ends it.
std::string digits_text(World& world, Object* call, DWORD end_to_end);

}  // namespace tsplink::tapisim
