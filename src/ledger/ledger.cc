#include "ledger/ledger.h"

namespace standings::ledger {

base::Error too_late() {
    return {base::ErrorCode::kReadTimeout,
            "The ledger could not be read to the end in time. Ask for less at once, or again in a "
            "moment."};
}

}  // namespace standings::ledger
