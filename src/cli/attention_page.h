#pragma once

#include <string_view>

namespace calque {

/// What stands in cli/attention_page, as one page: made of these files when Calque is built.
extern const std::string_view kAttentionPage;

}  // namespace calque
