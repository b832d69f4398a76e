// The rules that tapisim enforces (rules.def): each has a name, one sentence and its source.
// Owner: a constant table. Any thread may call.
#pragma once

#include <string_view>
#include <vector>

namespace tsplink::tapisim {

enum class Rule {
#define RULE(name, sentence, source) name,
#include "rules.def"
#undef RULE
};

struct RuleText {
  Rule rule;
  std::string_view name;
  std::string_view sentence;
  std::string_view source;
};

const std::vector<RuleText>& rules();
const RuleText& text_of(Rule rule);

}  // namespace tsplink::tapisim
