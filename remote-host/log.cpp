// The outputs of the log: a queue and a thread for each, and what happens when one of them does not take its lines.
#include "remote-host/log.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#ifndef _WIN32
#include "remote-host/journal.hpp"
#endif

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "wire/failure.hpp"

namespace tsplink::host::log {

namespace {

constexpr char kName[] = "tsplink-host";
constexpr char kPattern[] = "%Y-%m-%d %H:%M:%S.%e %l %v";
constexpr std::size_t kMostWaiting = 8192;  // lines of one output; then the oldest go

spdlog::level::level_enum level_of(Level level) {
  static_assert(static_cast<int>(Level::Error) == SPDLOG_LEVEL_ERROR);
  return static_cast<spdlog::level::level_enum>(level);
}

spdlog::sink_ptr sink_of(const Output& output) {
  spdlog::sink_ptr sink;
  switch (output.to) {
    case To::Stderr: sink = std::make_shared<spdlog::sinks::stderr_sink_mt>(); break;
    case To::Stdout: sink = std::make_shared<spdlog::sinks::stdout_sink_mt>(); break;
    case To::File:
      if (output.rotate_bytes) {
        sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(output.file.native(), output.rotate_bytes,
                                                                      output.rotate_files);
      } else {
        sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(output.file.native());
      }
      break;
    case To::Journal:
#ifndef _WIN32
      sink = journal_sink(kName);
#endif
      break;
  }
  // The journal keeps time and level beside the line, a JSON line has them in itself.
  sink->set_pattern(output.format == Format::Json || output.to == To::Journal ? "%v" : kPattern);
  return sink;
}

/// What tell_also() was given.
class ToldSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit ToldSink(std::function<void(Level, const std::string&)> tell) : tell_(std::move(tell)) {
    set_level(spdlog::level::warn);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    tell_(static_cast<Level>(line.level), std::string(line.payload.data(), line.payload.size()));
  }
  void flush_() override {}

  const std::function<void(Level, const std::string&)> tell_;
};

/// One output. What it says is owned by its thread too, which may hang in a write for ever.
class Writer {
 public:
  /// `report` is told once that lines are lost, and again after one was written.
  Writer(const Output& output, std::vector<spdlog::sink_ptr> sinks, std::function<void(const std::string&)> report)
      : state_(std::make_shared<State>(output, std::move(sinks), std::move(report))),
        thread_([state = state_] { state->run(); }) {}
  ~Writer() {
    const bool all = flush(std::chrono::seconds(2));
    state_->end();
    if (all) {
      thread_.join();
    } else {
      thread_.detach();  // a pipe that nobody reads
    }
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void push(Line line) { state_->push(std::move(line)); }
  bool flush(std::chrono::milliseconds bound) { return state_->flush(bound); }

 private:
  class State {
   public:
    State(const Output& output, std::vector<spdlog::sink_ptr> sinks, std::function<void(const std::string&)> report)
        : format_(output.format),
          mask_numbers_(output.mask_numbers),
          sinks_(std::move(sinks)),
          report_(std::move(report)) {}

    void push(Line line) {
      {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() == kMostWaiting) {
          waiting_.pop_front();
          ++lost_;
        }
        waiting_.push_back(std::move(line));
      }
      changed_.notify_all();
    }

    bool flush(std::chrono::milliseconds bound) {
      std::unique_lock lock(mutex_);
      return changed_.wait_for(lock, bound, [&] { return waiting_.empty() && !writing_; });
    }

    void end() {
      {
        const std::lock_guard lock(mutex_);
        ended_ = true;
      }
      changed_.notify_all();
    }

    void run() {
      std::unique_lock lock(mutex_);
      for (;;) {
        changed_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
        if (ended_) return;
        const auto lines = std::exchange(waiting_, {});
        const auto lost = std::exchange(lost_, 0);
        writing_ = true;
        lock.unlock();
        if (lost) {
          write({lines.front().time,
                 Level::Error,
                 std::to_string(lost) + " lines are lost: they came faster than this output takes them.",
                 {}});
        }
        for (const auto& line : lines) write(line);
        flush_sinks();
        lock.lock();
        writing_ = false;
        changed_.notify_all();
      }
    }

   private:
    void write(const Line& line) {
      const auto text = formatted(line, format_, mask_numbers_);
      const spdlog::details::log_msg message(line.time, {}, kName, level_of(line.level), text);
      guarded([&](spdlog::sinks::sink& sink) {
        if (sink.should_log(message.level)) sink.log(message);
      });
    }
    void flush_sinks() {
      if (guarded([](spdlog::sinks::sink& sink) { sink.flush(); })) failed_ = false;
    }
    template <class F>
    bool guarded(F&& use) {
      bool all = true;
      for (const auto& sink : sinks_) {
        try {
          use(*sink);
        } catch (const std::exception& failure) {
          all = false;
          if (!std::exchange(failed_, true)) report_(failure.what());
        }
      }
      return all;
    }

    const Format format_;
    const bool mask_numbers_;
    const std::vector<spdlog::sink_ptr> sinks_;
    const std::function<void(const std::string&)> report_;
    bool failed_ = false;  // thread's

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Line> waiting_;
    std::size_t lost_ = 0;
    bool writing_ = false;
    bool ended_ = false;
  };

  const std::shared_ptr<State> state_;
  std::thread thread_;
};

/// Where lines go. Never destroyed: a vendor's threads may speak until the process has ended.
struct Outputs {
  std::mutex mutex;
  std::shared_ptr<Writer> log;  // none before set_up()
  std::shared_ptr<Writer> audit;
  std::atomic<Level> level{Level::Warn};
  spdlog::sink_ptr told;  // none before tell_also()
};
Outputs& outputs() {
  static Outputs& only = *new Outputs;
  return only;
}

/// For what has no other way out. Nobody may read standard error any more, and a service has none.
void straight_out(const Line& line) {
  static spdlog::sinks::stderr_sink_mt& sink = []() -> auto& {
    auto& made = *new spdlog::sinks::stderr_sink_mt;
    made.set_pattern(kPattern);
    return made;
  }
  ();
  const auto text = formatted(line, Format::Text, true);
  const spdlog::details::log_msg message(line.time, {}, kName, level_of(line.level), text);
  try {
    sink.log(message);
  } catch (const spdlog::spdlog_ex&) {  // of a pipe that is cut, on Windows
  }
  spdlog::sink_ptr told;
  {
    const std::lock_guard lock(outputs().mutex);
    told = outputs().told;
  }
  if (told && told->should_log(message.level)) told->log(message);
}

std::string name_of(const Output& output) {
  return output.to == To::File ? "file " + output.file.string()
                               : std::string(kTargets[static_cast<std::size_t>(output.to)]);
}

std::shared_ptr<Writer> writer_of(const Output& output, bool audit) {
  const std::string setting = audit ? "audit" : "log";
  std::vector<spdlog::sink_ptr> sinks;
  try {
    sinks.push_back(sink_of(output));
  } catch (const spdlog::spdlog_ex& failure) {
    throw Failure(Kind::Configuration, "The " + setting + " " + name_of(output) + " cannot be written (" +
                                           failure.what() + "); choose another " + setting + "." +
                                           (output.to == To::File ? "file" : "to") + ".");
  }
  if (!audit) {
    const std::lock_guard lock(outputs().mutex);
    if (outputs().told) sinks.push_back(outputs().told);
  }
  const auto report = [audit, what = "The " + setting + " " + name_of(output)](const std::string& why) {
    const auto sentence = what + " cannot be written: " + why + "; its lines are lost until it can be.";
    if (audit) return error(sentence);
    straight_out({std::chrono::system_clock::now(), Level::Error, sentence, {}});
  };
  return std::make_shared<Writer>(output, std::move(sinks), report);
}

}  // namespace

void set_up(const Settings& settings) {
  auto log = writer_of(settings.log, false);
  auto audit = settings.audit ? writer_of(*settings.audit, true) : log;
  auto& all = outputs();
  {
    const std::lock_guard lock(all.mutex);
    std::swap(all.log, log);
    std::swap(all.audit, audit);
  }
  all.level = settings.level;
}

void tell_also(std::function<void(Level, const std::string&)> tell) {
  const std::lock_guard lock(outputs().mutex);
  outputs().told = std::make_shared<ToldSink>(std::move(tell));
}

Level level() { return outputs().level; }
void set_level(Level level) { outputs().level = level; }

void write(Level level, std::string line, Fields fields) {
  if (!enabled(level)) return;
  Line said{std::chrono::system_clock::now(), level, std::move(line), std::move(fields)};
  std::shared_ptr<Writer> writer;
  {
    const std::lock_guard lock(outputs().mutex);
    writer = outputs().log;
  }
  if (!writer) return straight_out(said);
  writer->push(std::move(said));
}

void audit(Fields fields) {
  Line said{std::chrono::system_clock::now(), Level::Info, "audit", std::move(fields)};
  std::shared_ptr<Writer> writer;
  {
    const std::lock_guard lock(outputs().mutex);
    writer = outputs().audit;
  }
  if (writer) writer->push(std::move(said));
}

bool flush(std::chrono::milliseconds bound) {
  std::shared_ptr<Writer> log, audit;
  {
    const std::lock_guard lock(outputs().mutex);
    log = outputs().log;
    audit = outputs().audit;
  }
  // The audit first: what it could not write is said in the log.
  const bool audited = !audit || audit->flush(bound);
  return (!log || log->flush(bound)) && audited;
}

std::optional<Level> level_named(std::string_view name) {
  const auto found = std::find(kLevels.begin(), kLevels.end(), name);
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<Level>(found - kLevels.begin());
}

}  // namespace tsplink::host::log
