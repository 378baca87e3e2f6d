#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/options.h"

namespace calque {

/// The keys of a config and their values that make a model's attention another one than that of
/// "Attention Is All You Need", without those that have no effect beside the others, and
/// key_value_heads aside, which others know; in the order of config/visit.h.
std::vector<std::pair<std::string, std::string>> unusual_attention(
    const TransformerOptions& options);

}  // namespace calque
