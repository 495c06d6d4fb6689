#include "demo/names.h"

#include <span>

namespace standings::demo {
namespace {

using std::string_view_literals::operator""sv;
using Words = std::span<const std::string_view>;

// A name is a first piece, maybe a middle one, and a last one.
struct Syllables {
    Words first;
    Words middle;
    Words last;
    double middle_share;  // how often there is a middle
    Words family;         // after a space; none: one word is all
    double family_share;
};

constexpr std::string_view kLatinFirst[] = {
    "Ma"sv, "Lu"sv, "Jo"sv,  "E"sv,   "Cla"sv, "Ni"sv, "Re"sv,  "Zo"sv,  "Bé"sv,
    "Fi"sv, "Na"sv, "Chi"sv, "Pau"sv, "Ro"sv,  "Va"sv, "Tho"sv, "Inê"sv, "Jú"sv,
};
constexpr std::string_view kLatinMiddle[] = {"ri"sv, "li"sv, "va"sv, "mi"sv,
                                             "ni"sv, "ne"sv, "lé"sv, "sa"sv};
constexpr std::string_view kLatinLast[] = {"ra"sv, "na"sv,  "lo"sv, "no"sv, "ne"sv, "ção"sv,
                                           "ño"sv, "lla"sv, "rd"sv, "n"sv,  "s"sv,  "lía"sv};
constexpr std::string_view kLatinFamily[] = {
    "A."sv,     "B."sv,      "C."sv,      "Ferrão"sv,  "Muñel"sv, "Garrec"sv,  "L."sv,
    "Dubrel"sv, "Rossani"sv, "Königer"sv, "Szabári"sv, "M."sv,    "Nováček"sv, "Żarski"sv};

constexpr std::string_view kNordicFirst[] = {"Å"sv,   "Bjø"sv, "Sö"sv, "Ås"sv,  "Hå"sv, "Frey"sv,
                                             "Sig"sv, "Tó"sv,  "Þó"sv, "Lin"sv, "Ei"sv, "Jä"sv};
constexpr std::string_view kNordicMiddle[] = {"ri"sv, "va"sv, "ne"sv, "le"sv};
constexpr std::string_view kNordicLast[] = {"sa"sv, "rn"sv,  "ren"sv, "nar"sv, "dís"sv,
                                            "va"sv, "rik"sv, "ður"sv, "mo"sv,  "lla"sv};
constexpr std::string_view kNordicFamily[] = {"Ålund"sv,   "Bergsø"sv, "Nygårdh"sv, "Østvik"sv,
                                              "Virtalä"sv, "K."sv,     "H."sv};

constexpr std::string_view kTurkishFirst[] = {"Ay"sv, "Gü"sv, "Çağ"sv, "Şe"sv, "Öz"sv,
                                              "İl"sv, "Ke"sv, "Ye"sv,  "Bü"sv, "De"sv};
constexpr std::string_view kTurkishMiddle[] = {"la"sv, "ri"sv, "ne"sv};
constexpr std::string_view kTurkishLast[] = {"şe"sv,  "lay"sv, "rı"sv,  "nur"sv,
                                             "gül"sv, "kan"sv, "niz"sv, "ğin"sv};
constexpr std::string_view kTurkishFamily[] = {"Yıldar"sv, "Kayış"sv, "Ö."sv, "Çelenk"sv};

constexpr std::string_view kVietnameseFirst[] = {"Nguyễn"sv, "Trần"sv, "Lê"sv, "Phạm"sv,
                                                 "Đỗ"sv,     "Vũ"sv,   "Bùi"sv};
constexpr std::string_view kVietnameseLast[] = {
    " Ánh"sv, " Bảo"sv, " Đức"sv, " Hương"sv, " Khôi"sv, " Mỹ"sv, " Quỳnh"sv, " Thảo"sv, " Vỹ"sv};

constexpr std::string_view kCyrillicFirst[] = {"Ма"sv, "Да"sv,   "Ни"sv, "О"sv,  "Ти"sv, "Са"sv,
                                               "Ле"sv, "Ярос"sv, "Зо"sv, "Бо"sv, "Ї"sv,  "Свє"sv};
constexpr std::string_view kCyrillicMiddle[] = {"ри"sv, "ни"sv, "ле"sv, "та"sv, "ве"sv};
constexpr std::string_view kCyrillicLast[] = {"на"sv,  "ша"sv, "мир"sv, "ля"sv, "слав"sv,
                                              "рий"sv, "я"sv,  "н"sv,   "ка"sv};
constexpr std::string_view kCyrillicFamily[] = {"К."sv,      "Ворнов"sv, "Щ."sv,
                                                "Лісенко"sv, "Бєлый"sv,  "Ж."sv};

constexpr std::string_view kGreekFirst[] = {"Ε"sv,  "Νί"sv, "Δη"sv, "Αλέ"sv,
                                            "Θε"sv, "Κω"sv, "Μυ"sv, "Σο"sv};
constexpr std::string_view kGreekMiddle[] = {"λέ"sv, "μή"sv, "ρί"sv, "στα"sv};
constexpr std::string_view kGreekLast[] = {"νη"sv,   "κος"sv, "τρα"sv, "ξης"sv,
                                           "δώρα"sv, "φία"sv, "νος"sv};
constexpr std::string_view kGreekFamily[] = {"Π."sv, "Καλλίδης"sv, "Β."sv, "Μαύρου"sv};

constexpr std::string_view kArabicFirst[] = {"نو"sv, "سا"sv, "كر"sv, "لي"sv, "ها"sv,
                                             "يو"sv, "مر"sv, "فا"sv, "ري"sv, "زي"sv};
constexpr std::string_view kArabicLast[] = {"ر"sv,  "مي"sv,  "يم"sv, "لى"sv, "ني"sv,
                                            "سف"sv, "وان"sv, "دي"sv, "نب"sv};
constexpr std::string_view kArabicFamily[] = {"الحداد"sv, "النجار"sv, "البحري"sv, "الكاتب"sv};

constexpr std::string_view kHebrewFirst[] = {"נו"sv, "יע"sv, "שי"sv, "או"sv,
                                             "תמ"sv, "רו"sv, "אי"sv, "מי"sv};
constexpr std::string_view kHebrewLast[] = {"עה"sv, "ל"sv, "רה"sv, "רי"sv, "ית"sv, "נה"sv, "תן"sv};
constexpr std::string_view kHebrewFamily[] = {"לביא"sv, "גולן"sv, "שחר"sv};

constexpr std::string_view kDevanagariFirst[] = {"प्रि"sv, "अ"sv,  "रो"sv, "नी"sv, "का"sv,
                                                 "श्रे"sv,  "वि"sv, "मी"sv, "दे"sv,  "ल"sv};
constexpr std::string_view kDevanagariMiddle[] = {"म"sv, "न"sv, "रि"sv};
constexpr std::string_view kDevanagariLast[] = {"या"sv,  "हन"sv, "ता"sv, "हित"sv,
                                                "व्या"sv, "रा"sv, "का"sv, "श"sv};
constexpr std::string_view kDevanagariFamily[] = {"शर्मन"sv, "वर्धन"sv, "पाठे"sv};

constexpr std::string_view kThaiFirst[] = {"สม"sv, "น้ำ"sv, "พิม"sv, "ธน"sv,
                                           "กิต"sv, "อร"sv, "ชล"sv, "วิ"sv};
constexpr std::string_view kThaiLast[] = {"ชาย"sv, "ฝน"sv, "พร"sv, "ดา"sv, "ติ"sv, "วรรณ"sv, "ภา"sv};

constexpr std::string_view kJapaneseFirst[] = {"さくら"sv, "ひなた"sv, "ユウ"sv, "ハル"sv,
                                               "あおい"sv, "ケン"sv,   "みお"sv, "リク"sv,
                                               "美"sv,     "大"sv,     "陽"sv,   "雪"sv};
constexpr std::string_view kJapaneseLast[] = {"子"sv,   "丸"sv, "ちゃん"sv, "くん"sv,
                                              "っち"sv, "斗"sv, "太"sv,     "ー"sv};

constexpr std::string_view kKoreanFirst[] = {"김"sv, "이"sv, "박"sv, "최"sv,
                                             "정"sv, "한"sv, "윤"sv};
constexpr std::string_view kKoreanMiddle[] = {"서"sv, "민"sv, "하"sv, "지"sv,
                                              "도"sv, "예"sv, "은"sv};
constexpr std::string_view kKoreanLast[] = {"윤"sv, "준"sv, "린"sv, "우"sv, "아"sv, "현"sv, "솔"sv};

constexpr std::string_view kChineseFirst[] = {"王"sv, "李"sv, "張"sv, "刘"sv, "陈"sv,
                                              "林"sv, "黃"sv, "赵"sv, "周"sv};
constexpr std::string_view kChineseMiddle[] = {"小"sv, "子"sv, "思"sv, "雨"sv, "明"sv, "佳"sv};
constexpr std::string_view kChineseLast[] = {"龙"sv, "涵"sv, "宇"sv, "静"sv,
                                             "华"sv, "轩"sv, "雪"sv, "風"sv};

constexpr std::string_view kGamerFirst[] = {"Turbo"sv, "Pixel"sv,  "Night"sv,  "Salty"sv,
                                            "Lucky"sv, "Ghost"sv,  "Rocket"sv, "Quiet"sv,
                                            "Mango"sv, "Velvet"sv, "Iron"sv,   "Neon"sv};
constexpr std::string_view kGamerMiddle[] = {"_"sv, "x"sv, "-"sv};
constexpr std::string_view kGamerLast[] = {"Fox"sv,   "Otter"sv, "Wizard"sv, "Moth"sv,   "Goose"sv,
                                           "Llama"sv, "Byte"sv,  "Falcon"sv, "Noodle"sv, "Kick"sv};
constexpr std::string_view kGamerFamily[] = {"🦊"sv, "⚽"sv,  "🔥"sv,  "🚀"sv,
                                             "🐢"sv,    "👑"sv,  "🇧🇷"sv, "👩‍🚀"sv,
                                             "7"sv,    "99"sv, "2K"sv, "✨"sv};

constexpr Words kNoWords{};

constexpr std::array<Syllables, kScripts> kSyllables{{
    {kLatinFirst, kLatinMiddle, kLatinLast, 0.5, kLatinFamily, 0.5},
    {kNordicFirst, kNordicMiddle, kNordicLast, 0.3, kNordicFamily, 0.4},
    {kTurkishFirst, kTurkishMiddle, kTurkishLast, 0.3, kTurkishFamily, 0.4},
    {kVietnameseFirst, kNoWords, kVietnameseLast, 0.0, kNoWords, 0.0},
    {kCyrillicFirst, kCyrillicMiddle, kCyrillicLast, 0.5, kCyrillicFamily, 0.4},
    {kGreekFirst, kGreekMiddle, kGreekLast, 0.4, kGreekFamily, 0.4},
    {kArabicFirst, kNoWords, kArabicLast, 0.0, kArabicFamily, 0.4},
    {kHebrewFirst, kNoWords, kHebrewLast, 0.0, kHebrewFamily, 0.4},
    {kDevanagariFirst, kDevanagariMiddle, kDevanagariLast, 0.3, kDevanagariFamily, 0.3},
    {kThaiFirst, kNoWords, kThaiLast, 0.0, kNoWords, 0.0},
    {kJapaneseFirst, kNoWords, kJapaneseLast, 0.0, kNoWords, 0.0},
    {kKoreanFirst, kKoreanMiddle, kKoreanLast, 0.8, kNoWords, 0.0},
    {kChineseFirst, kChineseMiddle, kChineseLast, 0.7, kNoWords, 0.0},
    {kGamerFirst, kGamerMiddle, kGamerLast, 0.4, kGamerFamily, 0.6},
}};

constexpr std::array<Naming, kScripts> kNamings{{
    {Script::kLatin, 0.27, 20.0},
    {Script::kNordic, 0.05, 19.0},
    {Script::kTurkish, 0.05, 18.0},
    {Script::kVietnamese, 0.03, 13.0},
    {Script::kCyrillic, 0.09, 17.5},
    {Script::kGreek, 0.04, 18.0},
    {Script::kArabic, 0.06, 18.0},
    {Script::kHebrew, 0.03, 18.0},
    {Script::kDevanagari, 0.06, 14.5},
    {Script::kThai, 0.03, 13.0},
    {Script::kJapanese, 0.07, 11.5},
    {Script::kKorean, 0.05, 12.0},
    {Script::kChinese, 0.07, 12.5},
    {Script::kGamer, 0.10, 23.0},
}};

std::string_view pick(Words words, Chance& chance) {
    return words[chance.below(words.size())];
}

}  // namespace

const std::array<Naming, kScripts>& namings() {
    return kNamings;
}

std::string make_name(Script script, Chance& chance) {
    const Syllables& from = kSyllables[static_cast<std::size_t>(script)];
    std::string name(pick(from.first, chance));
    if (chance.happens(from.middle_share)) name += pick(from.middle, chance);
    name += pick(from.last, chance);
    if (!from.family.empty() && chance.happens(from.family_share)) {
        name += ' ';
        name += pick(from.family, chance);
    }
    return name;
}

}  // namespace standings::demo
