// Plays a scenario: each statement becomes calls of TSPI functions, waits for callbacks, commands to the simulated
// PBX or to an MSP. README.md describes the statements. Owner: main. `parallel` runs one Run for each block on a
// thread of its own; names are shared.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "caller.hpp"
#include "msp_side.hpp"
#include "pbx_client.hpp"
#include "provider.hpp"
#include "scenario.hpp"

namespace tsplink::tapisim {

struct Binding {
  Object* object = nullptr;
  Request* request = nullptr;
};

class Interpreter {
 public:
  Interpreter(Caller& caller, Provider& provider, MspSide& msp, PbxClient& pbx, std::chrono::milliseconds linger)
      : caller_(caller), world_(caller.world()), provider_(provider), msp_(msp), pbx_(pbx), linger_(linger) {}

  /// Plays everything, closes what is still open, shuts the provider down. Throws Stop with a sentence.
  void play(const Scenario& scenario);
  /// Looks at all statements before anything is called. Throws Stop with a sentence about the first that cannot be
  /// right.
  static void check(const Scenario& scenario);

 private:
  struct Run {  // what belongs to one thread of the scenario
    Request* last = nullptr;
    std::chrono::milliseconds limit{10000};
    int line = 0;
    std::map<std::string, std::string> counters;
  };
  struct Options;  // the words of a statement, sorted

  void play_block(const Scenario& block, Run& run);
  void play_one(const Statement& statement, Run& run);
  void play_parallel(const Statement& statement, const Run& run);
  void open(const std::vector<std::string>& words);
  void open_line(const Device& device, const std::string& name, const Options& options);
  void open_phone(const Device& device, const std::string& name);
  void close(Object* object);
  void call(const std::vector<std::string>& words, Run& run);
  void add_objects(const Function& function, const Options& options, Arguments& arguments);
  void inside(const std::vector<std::string>& words, const Run& run);
  void expect(const std::vector<std::string>& words, Run& run);
  void expect_completion(const Options& options, Run& run);
  void expect_event(const Event& event, const Options& options, Run& run);
  void expect_none(const Options& options, Run& run);
  static void check_words(const Event& event, const Options& given);
  bool matches(const Happening& happening, const Event& event, const Options& options);
  void check_outputs(const Function& function, const Frame& frame, const Options& options);
  void msp(const std::vector<std::string>& words, Run& run);
  void pbx(const std::vector<std::string>& words);
  void wait_until_gone(bool phone, const std::string& which, Run& run);
  void wait(const std::vector<std::string>& words, Run& run);
  void check_hooks();
  void finish();

  static std::chrono::milliseconds seconds(const std::string& text);
  Options options(const std::vector<std::string>& words, std::size_t from);
  std::string substitute(const std::string& word, const Run& run);
  Binding lookup(const std::string& name);
  Object* object(const std::string& name);
  Object* living(const std::string& name);
  bool is_object(const std::string& name);
  void bind(const std::string& name, Binding binding);
  void promise(const std::string& name);
  Binding awaited(const std::string& name, std::chrono::milliseconds limit);
  static const Function* function_named(const std::string& name);
  static const Event* event_named(const std::string& name);
  static std::string sentence(const Statement& statement, const std::string& problem);
  std::string unclaimed(const Section* section);
  void must_succeed(const Outcome& outcome);
  void must_succeed_if_there(const Outcome& outcome);  // a function that a provider need not have

  Caller& caller_;
  World& world_;
  Provider& provider_;
  MspSide& msp_;
  PbxClient& pbx_;
  const std::chrono::milliseconds linger_;
  std::mutex mutex_;  // of the next four
  std::condition_variable named_;
  std::set<std::string> promised_;  // names that something inside a callback will make
  std::map<std::string, Binding> names_;
  std::map<std::string, std::string> texts_;
};

}  // namespace tsplink::tapisim
