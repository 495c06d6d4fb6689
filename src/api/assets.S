// The page's files, byte for byte.
    .section .rodata
    .macro asset name, file
    .global \name
    .global \name\()_end
\name:
    .incbin "\file"
\name\()_end:
    .byte 0
    .endm

    asset standings_board_page_html, board_page.html
    asset standings_board_page_css, board_page.css
    asset standings_board_page_js, board_page.js

    .section .note.GNU-stack,"",@progbits
