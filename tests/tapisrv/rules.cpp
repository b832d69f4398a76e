#include "rules.hpp"

namespace tsplink::tapisim {

const std::vector<RuleText>& rules() {
#define RULE(name, sentence, source) {Rule::name, #name, sentence, source},
  static const std::vector<RuleText> kAll = {
#include "rules.def"
  };
#undef RULE
  return kAll;
}

const RuleText& text_of(Rule rule) { return rules()[static_cast<std::size_t>(rule)]; }

}  // namespace tsplink::tapisim
