    .section .rodata
    .global standings_board_page
    .global standings_board_page_end
standings_board_page:
    .incbin "board_page.html"
standings_board_page_end:
    .byte 0
    .section .note.GNU-stack,"",@progbits
