"""What the office says when something went wrong, in Vietnamese and English, by the code of the trouble: here only.

Whole sentences saying what happened and what to do next; the scan itself is always safe by then. `labels.label` finds
them.
"""

from __future__ import annotations

from typing import Final

#: (Vietnamese, English)
TROUBLES: Final[dict[str, tuple[str, str]]] = {
    "duplicate": ("Tệp này đã có trong hồ sơ; không cần gửi lại.", "The dossier has this file already."),
    "dossier_unknown": (
        "Mã hồ sơ trên tên tệp không có, hoặc không thuộc cơ quan này. Chọn đúng hồ sơ rồi gắn tệp.",
        "The dossier code in the name isn't known to this agency. Choose the right dossier and attach the file.",
    ),
    "dossier_closed": (
        "Hồ sơ trên tên tệp không nhận thêm giấy tờ. Xem lại hồ sơ, hoặc gắn tệp vào hồ sơ khác.",
        "The dossier in the name takes no more papers. Look at it again, or attach the file to another one.",
    ),
    "kind_unknown": (
        "Loại giấy ghi kèm không có trong thủ tục của hồ sơ. Chọn loại giấy rồi gắn tệp.",
        "The dossier's procedure has no such kind of paper. Choose the kind and attach the file.",
    ),
    "sheet_unread": (
        "Có trang giống tờ ngăn mà không đọc được mã; trang sau nó vẫn ở giấy này. Tách giấy, hoặc ghi lý do khi soát.",
        "A page looks like a separator sheet that can't be read; what follows stayed here. Part the paper, or say why.",
    ),
    "sheet_kind_unknown": (
        "Tờ ngăn ghi loại giấy không có trong thủ tục. Chuyển giấy vào đúng mục, hoặc ghi lý do khi soát.",
        "The separator sheet names a paper that isn't on the list. Move it to its row, or say at the review why not.",
    ),
    "sheet_without_pages": (
        "Cạnh giấy này có tờ ngăn không kèm trang nào. Xem khay còn sót giấy không; không thì ghi lý do khi soát.",
        "Beside this paper came a separator sheet without pages. See whether a paper was left out; if not, say so.",
    ),
    "sheet_twice": (
        "Tờ ngăn của giấy này có hai lần trong một lượt quét. Đúng là hai giấy thì ghi lý do khi soát.",
        "This paper's separator sheet came twice in one scan. If there really are two such papers, say so.",
    ),
    "sheet_dossier_unknown": (
        "Mã hồ sơ trên tờ ngăn không có, hoặc không thuộc cơ quan này. Chọn đúng hồ sơ rồi gắn tệp.",
        "The dossier on the separator sheet isn't known to this agency. Choose the right dossier and attach the file.",
    ),
    "sheet_dossier_closed": (
        "Hồ sơ trên tờ ngăn không nhận thêm giấy tờ. Xem lại hồ sơ, hoặc gắn tệp vào hồ sơ khác.",
        "The dossier on the separator sheet takes no more papers. Look at it again, or attach the file to another one.",
    ),
    "before_first_sheet": (
        "Các trang này nằm trước tờ ngăn đầu tiên nên chưa rõ của hồ sơ nào. Xem tệp rồi gắn vào hồ sơ.",
        "These pages came before the first separator sheet. Look at them and attach them to their dossier.",
    ),
    "part_first_page": (
        "Trang 1 mở đầu chính giấy này. Chọn trang đầu của giấy thứ hai; nếu trang 1 là tờ ngăn thì chọn “Tờ ngăn”.",
        "Page 1 is this paper's own first page. Choose the second paper's; if page 1 is a separator sheet, say so.",
    ),
    "part_only_a_sheet": (
        "Giấy này chỉ có một trang. Nếu đó chỉ là tờ ngăn thì bỏ cả giấy ở trang hồ sơ, khi hồ sơ chưa tiếp nhận.",
        "This paper has one page. If it is only a separator sheet, take the paper out before the dossier is received.",
    ),
    "part_by_computer": (
        "Tệp do máy tính lập hoặc đã ký số được giữ nguyên từng byte, không tách. Xuất riêng từng giấy rồi thêm vào.",
        "A file written by a computer, or signed, is kept byte for byte. Bring in each paper as a file of its own.",
    ),
    "part_gone": (
        "Giấy này đã tách, đã thay hoặc đã bỏ rồi. Xem các giấy hiện có ở trang hồ sơ.",
        "This paper was parted, replaced or taken out already. The dossier's page shows what there is now.",
    ),
    "part_dossier_closed": (
        "Hồ sơ ở bước này không nhận hay đổi giấy tờ nữa; giấy đã nhận giữ nguyên như trên giấy hẹn.",
        "The dossier takes no papers any more; what it was received with stays as its receipt says.",
    ),
    "part_signed": (
        "Bản số hóa của giấy này đã ký hoặc đang ký nên không tách được nữa. Quét lại riêng từng giấy.",
        "This paper's copy is signed or being signed; it can't be parted any more. Scan both papers again.",
    ),
    "not_a_picture": (
        "Không phải ảnh chụp JPEG, PNG hay WebP. Xin chụp lại bằng máy ảnh của điện thoại.",
        "It isn't a JPEG, PNG or WebP picture. Please take it again with the telephone's camera.",
    ),
    "phone_dropped": ("Đã bỏ khỏi các ảnh chờ ghép.", "Taken out of the pictures that wait."),
    "phone_link_unknown": (
        "Địa chỉ chụp ảnh này không đúng. Quét lại mã QR trên màn hình ở quầy.",
        "This address is wrong. Scan the QR code on the counter's screen again.",
    ),
    "phone_link_expired": (
        "Mã QR đã hết 10 phút. Nhờ cán bộ ở quầy bấm “Thêm 10 phút” hoặc hiện mã mới.",
        "The code's ten minutes are over. Ask at the counter for ten more, or for a new code.",
    ),
    "phone_link_ended": (
        "Cán bộ ở quầy đã kết thúc lượt chụp này. Cần chụp thêm thì nhờ hiện mã mới.",
        "The counter has ended this. If more pictures are needed, ask for a new code.",
    ),
    "phone_link_dossier_closed": (
        "Hồ sơ này không nhận thêm giấy tờ nữa. Hỏi cán bộ ở quầy.",
        "This dossier takes no more papers. Ask at the counter.",
    ),
    "only_sheets": (
        "Tệp chỉ có tờ ngăn, không có trang giấy nào. Đặt giấy sau mỗi tờ ngăn rồi quét lại.",
        "The file has separator sheets only. Put the papers behind their sheets and scan again.",
    ),
    "sheet_astray": (
        "Có tờ ngăn của hồ sơ khác. Bỏ tờ đó và giấy của nó ra rồi quét lại.",
        "A separator sheet names another dossier. Take it and its papers out and scan again.",
    ),
    "empty": ("Tệp rỗng. Xin quét lại.", "The file is empty. Please scan again."),
    "truncated": (
        "Tệp bị đứt giữa chừng. Xin gửi lại hoặc quét lại.",
        "The file breaks off. Please send it again or scan again.",
    ),
    "encrypted": (
        "Tệp có mật khẩu. Xin bỏ mật khẩu rồi gửi lại.",
        "The file has a password. Please remove it and send it again.",
    ),
    "wrong_type": (
        "Không phải tệp PDF, JPEG, PNG, WebP hay TIFF. Xin xuất lại một trong các dạng đó.",
        "Not a PDF, JPEG, PNG, WebP or TIFF file. Please export it as one of these.",
    ),
    "heic": (
        "Ảnh HEIC của iPhone, không nhận được. Vào Cài đặt → Camera → Định dạng, chọn Tương thích nhất rồi chụp lại.",
        "An iPhone's HEIC picture can't be taken in. Set Camera → Formats to Most Compatible, then take it again.",
    ),
    "no_pages": ("Tệp không có trang nào. Xin quét lại.", "The file has no pages. Please scan again."),
    "too_many_pages": (
        "Tệp có quá nhiều trang. Xin chia thành nhiều tệp.",
        "The file has too many pages. Please split it.",
    ),
    "page_too_large": (
        "Trang ảnh quá lớn. Xin quét lại ở 300 dpi.",
        "A page is too large. Please scan it at 300 dpi.",
    ),
    "too_large": ("Tệp quá lớn. Xin chia nhỏ hoặc quét ở 300 dpi.", "The file is too large. Please split it."),
    "damaged": ("Tệp bị hỏng. Xin quét lại.", "The file is damaged. Please scan again."),
    "reader_died": (
        "Máy đọc dừng nhiều lần ở trang này. Bản quét vẫn an toàn; xin quét lại trang hoặc thử lại.",
        "Reading stopped at this page several times. The scan is safe; scan the page again or try again.",
    ),
    "reader_crashed": (
        "Máy đọc chữ dừng giữa chừng nhiều lần. Bản quét vẫn an toàn; xin thử lại hoặc quét lại trang.",
        "The reader broke off several times. The scan is safe; try again or scan the page again.",
    ),
    "reader_timeout": (
        "Máy đọc chữ quá thời gian ở trang này. Bản quét vẫn an toàn; xin thử lại hoặc quét lại trang.",
        "Reading this page took too long. The scan is safe; try again or scan the page again.",
    ),
    "reader_missing": (
        "Máy chủ thiếu máy đọc chữ tiếng Việt. Bản quét vẫn an toàn; xin báo quản trị viên chạy “hoso doctor”.",
        "The server lacks the reader for Vietnamese. The scan is safe; ask the administrator to run “hoso doctor”.",
    ),
    "object_missing": (
        "Kho lưu trữ không trả lại đúng bản quét. Xin báo quản trị viên.",
        "The store didn't give the scan back as it was. Please tell the administrator.",
    ),
    "certificate_missing": (
        "Người ký chưa có chứng thư số nào được ghi nhận nên chưa ký gì. Xin báo quản trị viên.",
        "No certificate is on record for the signer, so nothing was signed. Please tell the administrator.",
    ),
    "certificate_revoked": (
        "Chứng thư số đã bị thu hồi nên chưa ký gì. Xin dùng chứng thư khác.",
        "The certificate is revoked, so nothing was signed. Please use another.",
    ),
    "certificate_suspended": (
        "Chứng thư số đang bị tạm dừng nên chưa ký gì. Xin hỏi nơi cấp, hoặc dùng chứng thư khác.",
        "The certificate is suspended, so nothing was signed. Ask its issuer, or use another.",
    ),
    "certificate_expired": (
        "Chứng thư số đã hết hạn nên chưa ký gì. Xin gia hạn chứng thư.",
        "The certificate has expired, so nothing was signed. Please renew it.",
    ),
    "certificate_not_yet_valid": (
        "Chứng thư số chưa đến ngày có hiệu lực nên chưa ký gì. Xin xem lại đồng hồ máy chủ và chứng thư.",
        "The certificate isn't valid yet, so nothing was signed. Please check the server's clock and the certificate.",
    ),
    "wrong_key_usage": (
        "Chứng thư số không dành cho ký văn bản nên chưa ký gì. Xin dùng chứng thư khác.",
        "The certificate isn't meant for signing documents, so nothing was signed. Please use another.",
    ),
    "untrusted_issuer": (
        "Nơi cấp chứng thư số chưa được tin cậy nên chưa ký gì. Xin báo quản trị viên.",
        "The certificate's issuer isn't trusted, so nothing was signed. Please tell the administrator.",
    ),
    "annex_own_token": (
        "Con dấu của cơ quan nằm trên USB token nên chưa ký được phụ lục rời; gộp phụ lục vào tệp văn bản.",
        "The agency's key is on a token, which can't sign annexes apart; put the annex into the document's file.",
    ),
    "signer_left": (
        "Người phải ký không còn là lãnh đạo của cơ quan này nên chưa ký gì. Trả về dự thảo để chọn người ký khác.",
        "Who was to sign is no leader of this agency any more, so nothing was signed. Send it back and choose another.",
    ),
    "weak_key": (
        "Khóa ký quá yếu nên chưa ký gì. Xin đổi chứng thư.",
        "The key is too weak, so nothing was signed. Please change the certificate.",
    ),
    "status_unknown": (
        "Chưa hỏi được chứng thư số còn hiệu lực không nên chưa ký gì. Xin thử lại sau.",
        "Whether the certificate is still valid can't be found out, so nothing was signed. Please try again later.",
    ),
    "wrong_passphrase": (
        "Mật khẩu của tệp khóa không đúng nên chưa ký gì. Xin báo quản trị viên.",
        "The key file's passphrase is wrong, so nothing was signed. Please tell the administrator.",
    ),
    "unreadable_key": (
        "Không đọc được tệp khóa nên chưa ký gì. Xin báo quản trị viên.",
        "The key file can't be read, so nothing was signed. Please tell the administrator.",
    ),
    "held_elsewhere": (
        "Khóa nằm trong thiết bị của chính người ký; máy chủ không ký thay được. Xin ký bằng thiết bị đó.",
        "The key is on the signer's own token; the server can't sign with it. The signer signs with their token.",
    ),
    "token_absent": (
        "Máy ký không thấy token nên chưa ký gì. Xin cắm đúng token rồi cho ký tiếp.",
        "The signing machine doesn't see the token, so nothing was signed. Plug it in, then let signing go on.",
    ),
    "token_module": (
        "Máy ký không nạp được thư viện của token nên chưa ký gì. Xin báo quản trị viên.",
        "The token's library can't be loaded, so nothing was signed. Please tell the administrator.",
    ),
    "token_key_missing": (
        "Token không có khóa hoặc chứng thư đã ghi nên chưa ký gì. Xin báo quản trị viên.",
        "The token lacks the registered key or certificate, so nothing was signed. Please tell the administrator.",
    ),
    "token_failed": (
        "Token báo lỗi nên chưa ký gì. Xin rút ra cắm lại rồi cho ký tiếp.",
        "The token reported a fault, so nothing was signed. Plug it in again, then let signing go on.",
    ),
    "document_changed": (
        "Tệp chờ ký không còn như lúc chuẩn bị nên chưa ký gì. Xin ký lại từ đầu.",
        "The waiting file isn't as it was prepared, so nothing was signed. Please sign again from the start.",
    ),
    "pin_needed": (
        "Cần gõ lại mã PIN để ký tiếp; văn bản đã duyệt vẫn an toàn.",
        "The PIN must be typed again to go on; what was approved is safe.",
    ),
    "pin_wrong": (
        "Mã PIN không đúng nên chưa ký gì. Hệ thống không tự thử lại; xin gõ lại cẩn thận.",
        "The PIN is wrong, so nothing was signed. It isn't tried again by itself; please type it with care.",
    ),
    "pin_locked": (
        "Token đã khóa mã PIN nên chưa ký gì. Xin liên hệ nơi cấp chứng thư để mở khóa.",
        "The token's PIN is locked, so nothing was signed. Please ask the certificate's issuer to unlock it.",
    ),
    "signer_silent": (
        "Máy ký không chạy hoặc không trả lời nên chưa ký gì. Xin thử lại sau ít phút, hoặc báo quản trị viên.",
        "The signing machine doesn't answer, so nothing was signed. Try again soon, or tell the administrator.",
    ),
    "remote_silent": (
        "Dịch vụ ký từ xa không trả lời nên chưa ký gì. Xin thử lại sau ít phút.",
        "The remote signing service doesn't answer, so nothing was signed. Please try again in some minutes.",
    ),
    "remote_refused": (
        "Dịch vụ ký từ xa từ chối nên chưa ký gì. Xin xem lại chứng thư và quyền truy cập ở dịch vụ.",
        "The remote signing service refused, so nothing was signed. Check the credential and the access to it.",
    ),
    "encrypted_pdf": (
        "PDF có mật khẩu nên không ký được. Xin bỏ mật khẩu rồi gửi lại.",
        "The PDF has a password and can't be signed. Please remove it and send it again.",
    ),
    "already_signed": (
        "PDF đã có chữ ký ở chỗ này; không ký lần nữa.",
        "The PDF is already signed in this place; it isn't signed twice.",
    ),
    "unreadable_pdf": (
        "Không đọc được PDF nên chưa ký gì. Xin tạo lại tệp.",
        "The PDF can't be read, so nothing was signed. Please make it again.",
    ),
    "not_genuine": (
        "Chữ ký có sẵn trong PDF không kiểm tra được là thật nên chưa ghi sổ. Xin xem lý do rồi gửi bản khác.",
        "The signature the PDF came with isn't proven genuine, so nothing was registered. See why, then send another.",
    ),
    "wrong_certificate": (
        "Khóa ký không khớp với chứng thư hoặc cơ quan đã ghi; chưa ký gì. Xin báo quản trị viên.",
        "The key doesn't match the registered certificate or agency; nothing was signed. Tell the administrator.",
    ),
    "report_without_seal": (
        "Cơ quan lập biên bản chưa có con dấu (chứng thư) đang dùng được.",
        "The agency that makes reports has no seal in use.",
    ),
    "report_failed": (
        "Máy chủ gặp lỗi khi lập biên bản; người vận hành thấy lỗi này trong nhật ký.",
        "The server met an error while it made the report; whoever runs it sees it in the log.",
    ),
    "report_died": (
        "Ba lần lập biên bản này đều làm dừng máy ký nên đã thôi; kết quả kiểm tra không đổi. Báo quản trị viên.",
        "Making this report ended the signing worker three times, so it was given up. Tell the administrator.",
    ),
    "store_cannot_hold": (
        "Kho tệp đang dùng không giữ được tệp theo lệnh. Hệ thống vẫn chặn mọi việc xóa; báo quản trị viên đổi kho.",
        "This object store can't hold files. The service still refuses every deletion; tell the administrator.",
    ),
    "hold_waits_for_store": (
        "Kho tệp chưa phản hồi. Hệ thống vẫn chặn mọi việc xóa và sẽ tự làm tiếp.",
        "The object store doesn't answer. The service still refuses every deletion and goes on by itself.",
    ),
    "held_object_missing": (
        "Có tệp không còn trong kho nên không giữ được. Báo quản trị viên lấy lại từ bản sao lưu.",
        "A file isn't in the store any more. Tell the administrator to bring it back from a backup.",
    ),
    "assembly_failed": (
        "Không tạo được PDF tìm kiếm. Các trang đã đọc vẫn an toàn; xin thử lại.",
        "The searchable PDF couldn't be made. The pages read are safe; please try again.",
    ),
    "assembly_died": (
        "Ba lần tạo PDF tìm kiếm đều làm dừng máy đọc. Các trang đã đọc vẫn an toàn; xin thử lại, hoặc quét lại.",
        "Making the searchable PDF ended the reader three times. The pages are safe; please try again, or rescan.",
    ),
    "failed": (
        "Việc ký dừng vì lỗi chưa lường trước; chưa ghi nhận gì. Xin thử lại, còn lỗi thì báo quản trị viên.",
        "Signing stopped for an unforeseen fault; nothing was recorded. Try again, or tell the administrator.",
    ),
    "signing_died": (
        "Ba lần ký văn bản này đều làm dừng máy ký. Văn bản vẫn an toàn, không ký hai lần. Báo quản trị, rồi thử lại.",
        "This ended the signing worker three times. It is safe, not signed twice. Tell the administrator; retry.",
    ),
    "fields_failed": (
        "Máy không lấy được thông tin của giấy này. Xin nhập tay khi soát.",
        "The fields couldn't be extracted. Please type them while reviewing.",
    ),
    "waiting_for_trust_service": (
        "Dịch vụ dấu thời gian hoặc chứng thư chưa trả lời; chưa ký gì, hệ thống sẽ tự ký lại sau.",
        "The timestamp or certificate service doesn't answer; nothing was signed, it will be tried again by itself.",
    ),
    "waiting_for_timestamp": (
        "Đã ký, chờ dấu thời gian. Chữ ký được giữ an toàn, không ký lại; hệ thống tự làm tiếp.",
        "Signed, waiting for its timestamp. The signature is kept safe and isn't made again; it goes on by itself.",
    ),
    "signature_unproven": (
        "Chữ ký vừa tạo không qua được bước tự kiểm tra nên không dùng. Xin báo quản trị viên.",
        "The signature just made didn't pass our own check, so it isn't used. Please tell the administrator.",
    ),
    "field_missing": (
        "PDF không còn chỗ để ký. Xin tạo lại văn bản.",
        "The PDF has no place left for the signature. Please make the document again.",
    ),
    "forbidden_by_document": (
        "Chữ ký đã có trong PDF không cho thêm chữ ký. Xin dùng bản chưa khóa.",
        "A signature already in the PDF forbids another. Please use a copy that isn't locked.",
    ),
}

_KEPT: Final = "Văn bản trên hệ thống không thay đổi, vẫn an toàn."
_KEPT_EN: Final = "The document here is unchanged and safe."

#: What becomes of a file that comes back from the signer's own tool, and of the link it came by. {signer} signed it,
#: {expected} should have.
RETURNED: Final[dict[str, tuple[str, str]]] = {
    code: (f"{vi} {_KEPT} {then}", f"{en} {_KEPT_EN} {then_en}")
    for code, vi, then, en, then_en in (
        (
            "returned_not_a_pdf",
            "Tệp gửi về không phải PDF.",
            "Gửi lại tệp PDF đã ký.",
            "What came back isn't a PDF.",
            "Send the signed PDF.",
        ),
        (
            "returned_unsigned",
            "Tệp gửi về chưa có chữ ký nào mới.",
            "Cắm USB token, ký trong công cụ rồi gửi lại.",
            "The file came back without a new signature.",
            "Plug in the token, sign in the tool, and send it again.",
        ),
        (
            "returned_cut_short",
            "Tệp gửi về bị đứt, thiếu phần cuối.",
            "Gửi lại; nếu vẫn vậy, ký lại từ đầu.",
            "The file came back cut short.",
            "Send it again; if that doesn't help, sign anew.",
        ),
        (
            "returned_another_document",
            "Tệp gửi về là một văn bản khác.",
            "Mở đúng văn bản từ trang này rồi ký.",
            "Another document came back.",
            "Open the right one from this page and sign that.",
        ),
        (
            "returned_rewritten",
            "Tệp gửi về đã bị phần mềm khác lưu lại hoặc sửa, không còn đúng từng byte.",
            "Tải lại văn bản từ trang này và ký thẳng, không mở bằng phần mềm khác trước khi ký.",
            "The file was saved anew or edited by another program before it came back.",
            "Fetch it from this page again and sign it straight away, without opening it in other programs.",
        ),
        (
            "returned_damaged",
            "Tệp gửi về bị hỏng, không đọc được.",
            "Ký lại từ đầu rồi gửi về.",
            "The file that came back is damaged.",
            "Sign anew and send it again.",
        ),
        (
            "returned_content_changed",
            "Nội dung đã bị thay đổi ngoài chữ ký.",
            "Tải lại văn bản từ trang này và chỉ ký; cần sửa thì trả lại cho người soạn.",
            "More than a signature was added: the content was changed.",
            "Fetch it again and only sign it; return it to its drafter if it must be changed.",
        ),
        (
            "returned_added_afterwards",
            "Sau chữ ký còn có thứ khác được thêm vào tệp.",
            "Ký lại và gửi ngay, không sửa hay ghi chú thêm.",
            "Something was added to the file after the signature.",
            "Sign anew and send it at once, without editing or adding notes.",
        ),
        (
            "returned_several_signatures",
            "Tệp gửi về có nhiều hơn một chữ ký mới.",
            "Tải lại văn bản và ký đúng một lần.",
            "The file came back with more than one new signature.",
            "Fetch it again and sign it once.",
        ),
        (
            "returned_partly_signed",
            "Chữ ký không bao trùm toàn bộ tệp.",
            "Ký lại; nếu vẫn vậy, cập nhật công cụ ký.",
            "The signature doesn't cover the whole file.",
            "Sign anew; if it stays, update the tool.",
        ),
        (
            "returned_broken_signature",
            "Chữ ký trong tệp gửi về không khớp với nội dung.",
            "Ký lại; nếu vẫn vậy, cập nhật công cụ ký.",
            "The signature doesn't fit the content.",
            "Sign anew; if it stays, update the tool.",
        ),
        (
            "returned_another_certificate",
            "Văn bản được ký bằng chứng thư của “{signer}”, không phải chứng thư đã đăng ký của “{expected}”.",
            "Cắm đúng USB token rồi ký lại; nếu vừa đổi chứng thư, báo quản trị viên.",
            "It was signed with the certificate of “{signer}”, not the one registered for “{expected}”.",
            "Plug in the right token and sign anew; after a renewal, tell the administrator.",
        ),
        (
            "returned_unbound_certificate",
            "Chữ ký không ghi rõ được tạo bằng chứng thư nào (thiếu signing-certificate-v2).",
            "Trong công cụ ký chọn định dạng PAdES rồi ký lại.",
            "The signature doesn't say which certificate made it (no signing-certificate-v2).",
            "Choose PAdES in the tool and sign anew.",
        ),
        (
            "returned_weak_algorithm",
            "Chữ ký dùng thuật toán không còn được phép (SHA-1 hoặc khóa RSA dưới 2048 bit).",
            "Trong công cụ ký chọn SHA-256 rồi ký lại.",
            "The signature uses an algorithm that isn't allowed any more (SHA-1, or RSA below 2048 bits).",
            "Choose SHA-256 in the tool and sign anew.",
        ),
        (
            "returned_wrong_field",
            "Chữ ký nằm ở khung dành cho người khác.",
            "Ký lại và chọn đúng khung chữ ký của mình.",
            "The signature stands in a place meant for somebody else's.",
            "Sign anew in your own place.",
        ),
        (
            "returned_moved_field",
            "Công cụ ký đã dời khung chữ ký chuẩn bị sẵn trong văn bản.",
            "Ký lại và để công cụ tự tạo khung mới ở chỗ trống giữa chức vụ và họ tên.",
            "The tool moved the field prepared for the signature.",
            "Sign anew and let the tool make a field of its own in the free space between title and name.",
        ),
        (
            "returned_covers_text",
            "Khung chữ ký che mất chữ của văn bản.",
            "Ký lại và đặt khung vào chỗ trống giữa chức vụ và họ tên.",
            "The signature's block covers words of the document.",
            "Sign anew with the block in the free space between title and name.",
        ),
        (
            "returned_locks_document",
            "Chữ ký khóa văn bản nên cơ quan không đóng dấu được nữa.",
            "Trong công cụ ký, bỏ chọn khóa văn bản rồi ký lại.",
            "The signature locks the document, so the agency couldn't seal it.",
            "Turn off locking in the tool and sign anew.",
        ),
        (
            "returned_certificate_revoked",
            "Chứng thư của “{expected}” đã bị thu hồi.",
            "Không dùng thiết bị này nữa; báo quản trị viên đăng ký chứng thư mới.",
            "The certificate of “{expected}” is revoked.",
            "Don't use this token any more; have the administrator register a new certificate.",
        ),
        (
            "returned_certificate_expired",
            "Chứng thư của “{expected}” đã hết hạn.",
            "Gia hạn chứng thư rồi báo quản trị viên đăng ký lại.",
            "The certificate of “{expected}” has expired.",
            "Renew it and have the administrator register it.",
        ),
        (
            "returned_untrusted_issuer",
            "Nơi cấp chứng thư chưa được tin cậy.",
            "Báo quản trị viên thêm chứng thư gốc của nơi cấp.",
            "The certificate's issuer isn't trusted.",
            "Have the administrator add its root certificate.",
        ),
        (
            "link_unknown",
            "Đường dẫn ký này không có.",
            "Mở lại trang ký và bấm ký.",
            "There is no such signing link.",
            "Open the signing page again and start there.",
        ),
        (
            "link_expired",
            "Đường dẫn ký đã hết hạn.",
            "Mở lại trang ký và bấm ký để lấy đường dẫn mới.",
            "The signing link is over.",
            "Open the signing page again and start there for a new one.",
        ),
        (
            "link_used",
            "Văn bản này đã có bản ký được nhận từ trước.",
            "Không cần ký lại; xem trạng thái trên trang.",
            "A signed file was taken for this document before.",
            "There is no need to sign again; see its state on the page.",
        ),
        (
            "link_worn_out",
            "Đường dẫn ký này đã bị từ chối quá nhiều lần.",
            "Xem lý do trên trang ký, rồi bấm ký để lấy đường dẫn mới.",
            "Too many files were refused on this link.",
            "Read why on the signing page, then start there for a new one.",
        ),
        (
            "link_moved_on",
            "Văn bản không còn chờ chữ ký này: đã được trả lại, rút lại hoặc đã ký.",
            "Mở lại trang văn bản để xem trạng thái.",
            "The document doesn't wait for this signature any more: it was returned, taken back or signed.",
            "Open the document's page to see its state.",
        ),
        (
            "link_certificate_changed",
            "Chứng thư đăng ký vừa được đổi sau khi mở văn bản để ký.",
            "Mở lại trang ký và bấm ký.",
            "The registered certificate was changed after the document was given out.",
            "Open the signing page again and start there.",
        ),
        (
            "upload_broken",
            "Việc gửi tệp bị đứt giữa chừng.",
            "Kiểm tra mạng rồi gửi lại.",
            "The upload broke off.",
            "Check the network and send it again.",
        ),
        (
            "upload_too_large",
            "Tệp gửi về lớn hơn mức cho phép.",
            "Tải lại văn bản từ trang này và ký lại.",
            "What came back is larger than allowed.",
            "Fetch the document again and sign anew.",
        ),
        (
            "returned_too_complex",
            "Tệp gửi về quá phức tạp, đọc hết quá nhiều thời gian hoặc bộ nhớ.",
            "Tải lại văn bản từ trang này, ký và gửi lại đúng tệp đó.",
            "The file that came back is too complex: reading it takes too much time or memory.",
            "Fetch the document from this page again, sign that very file and send it.",
        ),
        (
            "signature_not_expected",
            "Chữ ký gửi về không phải của chứng thư đã đăng ký, hoặc được ký trên dữ liệu khác.",
            "Cắm đúng USB token, lấy lại dữ liệu cần ký rồi ký.",
            "What came back isn't a signature by the registered certificate over the data that was given out.",
            "Plug in the right token, ask for the data again and sign it.",
        ),
        (
            "upload_busy",
            "Đang có nhiều tệp chờ kiểm tra nên chưa nhận được bản ký.",
            "Gửi lại sau khoảng nửa phút; không cần ký lại.",
            "Many files are waiting to be checked, so the signed file wasn't taken.",
            "Send it again in half a minute; there is no need to sign again.",
        ),
        (
            "upload_not_kept",
            "Kho lưu trữ chưa phản hồi nên chưa nhận được bản ký.",
            "Gửi lại sau ít phút; không cần ký lại.",
            "The store doesn't answer, so the signed file wasn't taken.",
            "Send it again in a few minutes; there is no need to sign again.",
        ),
    )
}
RETURNED["link_done"] = (
    "Đã nhận bản ký. Hệ thống lấy dấu thời gian rồi làm tiếp.",
    "The signed file was taken. It gets its timestamp, and goes on.",
)
