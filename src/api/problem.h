// Failures as RFC 9457 problems: one table of status, code and title for all of them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace standings::api {

struct ProblemKind {
    base::ErrorCode error;
    int status;
    std::string_view code;  // on the wire, and the page /problems/<code>
    std::string_view title;
    std::string_view help;  // the page: when it happens and what to do
};

const ProblemKind& problem_kind(base::ErrorCode error);
// None: no such code.
const ProblemKind* find_problem(std::string_view code);
std::span<const ProblemKind> problem_kinds();

// Appends the problem+json body. `instance` is the path of the request;
// empty where none was understood.
void append_problem(std::string& out, const base::Error& error, std::string_view instance,
                    std::string_view request_id);
// The members of one problem inside a list: {"pointer", "code", "detail"}.
void append_problem_item(std::string& out, const base::Error& error);

}  // namespace standings::api
