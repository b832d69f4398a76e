#include "scenario.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "text.hpp"

namespace tsplink::tapisim {
namespace {

constexpr std::size_t kMostParallel = 100;
constexpr int kDeepest = 100;

class Parser {
 public:
  explicit Parser(const std::string& text) : lines_(split(text, '\n')) {}

  Scenario all() {
    Scenario out = block(0);
    if (at_ < lines_.size()) fail(at_, "\"" + stopper_ + "\" closes no block");
    return out;
  }

 private:
  [[noreturn]] static void fail(std::size_t line, const std::string& what) {
    throw std::runtime_error("Scenario line " + std::to_string(line + 1) + ": " + what + ".");
  }

  /// Statements up to `end` or `and` of this depth; depth 0 ends with the file.
  Scenario block(int depth) {
    Scenario out;
    const std::size_t opened = at_;
    for (; at_ < lines_.size(); ++at_) {
      Statement statement;
      statement.line = static_cast<int>(at_) + 1;
      statement.words = words(lines_[at_]);
      if (statement.words.empty()) continue;
      for (const auto& word : statement.words) {
        if (std::count(word.begin(), word.end(), '"') % 2 != 0) fail(at_, "the quote in " + word + " is not closed");
      }
      const std::string& verb = statement.words[0];
      if (verb == "end" || verb == "and") {
        stopper_ = verb;
        return out;
      }
      if (verb == "repeat" || verb == "parallel") {
        if (depth == kDeepest) fail(at_, "blocks nest deeper than " + std::to_string(kDeepest));
        do {
          ++at_;
          statement.blocks.push_back(block(depth + 1));
          if (at_ >= lines_.size()) fail(opened, "the block is not closed by \"end\"");
          if (statement.blocks.size() > kMostParallel)
            fail(at_, "more than " + std::to_string(kMostParallel) + " blocks in parallel, each a thread");
        } while (stopper_ == "and");
      }
      out.push_back(std::move(statement));
    }
    if (depth > 0) fail(opened == 0 ? 0 : opened - 1, "the block is not closed by \"end\"");
    return out;
  }

  std::vector<std::string> lines_;
  std::size_t at_ = 0;
  std::string stopper_;
};

}  // namespace

Scenario parse_scenario(const std::string& text) { return Parser(text).all(); }

Scenario read_scenario(const std::string& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(std::filesystem::u8path(file), ignored))
    throw std::runtime_error("The scenario " + file + " is a folder; name a file in it.");
  std::ifstream in(file);
  if (!in) throw std::runtime_error("The scenario " + file + " cannot be read; check the path.");
  std::ostringstream text;
  text << in.rdbuf();
  constexpr std::string_view mark = "\xEF\xBB\xBF";  // as some editors begin UTF-8
  const std::string all = text.str();
  if (all.find('\0') != std::string::npos)
    throw std::runtime_error("The scenario " + file + " is no text; the module comes first, then the scenario.");
  return parse_scenario(starts_with(all, mark) ? all.substr(mark.size()) : all);
}

}  // namespace tsplink::tapisim
