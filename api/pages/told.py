"""What a page says at its top after something was done: once, in the words of the desk."""

from __future__ import annotations

from typing import Final

#: Key → Vietnamese and English.
TOLD: Final[dict[str, tuple[str, str]]] = {
    "session_over": (
        "Phiên đã hết nên chưa làm được; dự thảo đã lưu vẫn còn. Đăng nhập lại rồi làm tiếp.",
        "Your session had ended, so it wasn't done; saved drafts are kept. Sign in and go on.",
    ),
    "signed_out": ("Đã đăng xuất.", "You are signed out."),
    "opened": ("Đã mở hồ sơ. Thêm giấy tờ bên dưới.", "The dossier is open. Add its papers below."),
    "paper_moved": ("Đã chuyển giấy sang đúng dòng.", "The paper is in its right row now."),
    "paper_dropped": (
        "Đã bỏ giấy khỏi hồ sơ. Trang chưa đọc thì thôi đọc, bản quét vẫn giữ. Cần lại thì gửi lại tệp ấy.",
        "The paper is out, its scan is kept; unread pages won't be read. Send the file again if it is wanted.",
    ),
    "paper_added": ("Đã nhận tệp an toàn.", "The file is received, safe."),
    "papers_parted": (
        "Đã nhận tệp an toàn, tách thành nhiều giấy theo tờ ngăn. Giấy của hồ sơ khác đã vào hồ sơ ấy.",
        "The file is received, safe, and parted by its separator sheets. Papers of other dossiers went there.",
    ),
    "parted_by_hand": (
        "Đã tách. Bản quét gốc giữ nguyên; mỗi giấy được soát riêng.",
        "It is parted. The scan stays as it came; each paper is reviewed by itself.",
    ),
    "phone_extended": ("Điện thoại có thêm 10 phút.", "The telephone has ten more minutes."),
    "phone_ended": (
        "Đã kết thúc lượt chụp. Ảnh đã nhận vẫn còn.",
        "The telephone can send no more. What it has sent is kept.",
    ),
    "phone_dropped": ("Đã bỏ ảnh ấy.", "That picture is taken out."),
    "phone_received": ("Đã nhận ảnh an toàn.", "The picture is received, safe."),
    "phone_twice": ("Ảnh này đã nhận rồi; không tính lần nữa.", "This picture is here already; it counts once."),
    "phone_paper_made": ("Đã ghép ảnh thành một giấy.", "The pictures are one paper now."),
    "phone_paper_done": (
        "Giấy này đã vào hồ sơ. Chụp tiếp giấy khác, hoặc cất điện thoại.",
        "This paper is in the dossier. Go on with another, or put the telephone away.",
    ),
    "parcel_attached": (
        "Đã gắn tệp vào hồ sơ. Nếu cần, chuyển sang đúng dòng.",
        "The file is in the dossier. Move it to its right row if need be.",
    ),
    "parcel_set_aside": ("Đã để tệp riêng. Tệp vẫn được giữ.", "The file is set aside. It is kept."),
    "machine_revoked": (
        "Đã thu hồi. Máy ấy không gửi được nữa; những gì đã gửi vẫn còn.",
        "Revoked. That machine can't send any more; what it has sent stays.",
    ),
    "received": (
        "Đã tiếp nhận. In giấy hẹn đưa cho người nộp.",
        "Received. Print the receipt for the applicant.",
    ),
    "stopped_needs_supplement": (
        "Đã yêu cầu bổ sung. Người dân đọc được lý do khi tra cứu.",
        "A supplement is asked for. The citizen reads the reason when looking it up.",
    ),
    "stopped_refused": (
        "Đã từ chối hồ sơ. Người dân đọc được lý do khi tra cứu. Trang chưa đọc thì thôi đọc; bản quét vẫn giữ.",
        "The dossier is refused. The citizen reads the reason when looking it up. Scans are kept, no more are read.",
    ),
    "stopped_cancelled": (
        "Đã ghi rút hồ sơ. Trang chưa đọc thì thôi đọc; bản quét vẫn giữ.",
        "The dossier is cancelled. Pages still unread won't be read; the scans are kept.",
    ),
    "handed_over": ("Đã trả kết quả. Hồ sơ này xong.", "The result is handed over. This dossier is finished."),
    "transfer_sent": (
        "Đã lập phiếu bàn giao. In phiếu, kẹp cùng hồ sơ giấy.",
        "The slip is made. Print it and send it with the paper dossiers.",
    ),
    "transfer_accepted": ("Đã nhận bàn giao.", "The transfer is accepted."),
    "transfer_recalled": (
        "Đã rút phiếu. Hồ sơ giấy lại do bạn giữ.",
        "The slip is taken back. The paper dossiers are yours to hold again.",
    ),
    "retention_set": (
        "Đã đặt thời hạn lưu. Nếu dài hơn, hệ thống đang kéo dài khóa của hồ sơ đã kết thúc.",
        "The period is set. Where it is longer, locks of dossiers that have ended are being prolonged.",
    ),
    "hold_placed": (
        "Đã đặt lệnh giữ: từ lúc này không xóa được gì của hồ sơ. Kho đang giữ từng tệp, thường xong sau ít giây.",
        "The hold is placed: nothing of the dossier can be deleted from now on. The store follows within seconds.",
    ),
    "hold_release_asked": (
        "Đã xin thôi giữ. Hồ sơ vẫn được giữ đến khi người thứ hai xác nhận.",
        "The release is asked for. The dossier stays held until a second person confirms it.",
    ),
    "hold_released": ("Đã thôi giữ.", "The hold is released."),
    "hold_kept_on": ("Hồ sơ vẫn được giữ nguyên.", "The dossier stays held."),
    "in_process": ("Đã bắt đầu giải quyết. Việc tiếp theo: soạn kết quả.", "Taken into work. Next: draft the result."),
    "resumed": ("Đã tiếp tục xử lý hồ sơ.", "The dossier goes on."),
    "saved": ("Đã lưu những gì vừa sửa.", "What was changed is saved."),
    "reviewed": ("Đã soát xong các giấy tờ đã đọc của hồ sơ này.", "Every paper read so far is reviewed."),
    "reviewed_next": (
        "Đã soát xong giấy trước. Đây là giấy tiếp theo.",
        "That paper is reviewed. Here is the next one.",
    ),
    "taken_up_again": ("Đã cho đọc lại.", "It is taken up again."),
    "copies_asked": (
        "Đã gửi ký. Từng giấy hiện kết quả bên dưới.",
        "Sent to be signed. Each paper shows below how it went.",
    ),
    "look_up_closed": (
        "Đã đóng hồ sơ trên máy này. Muốn xem lại, nhập hai mã trên giấy hẹn.",
        "The dossier is closed on this device. To see it again, enter both codes of the receipt.",
    ),
    "result_drafted": (
        "Đã tạo dự thảo, điền sẵn từ hồ sơ. Điền tiếp rồi trình ký.",
        "The draft is there, with what the dossier knows. Fill in the rest, then submit it.",
    ),
    "result_uploaded": ("Đã nhận tệp PDF. Xem lại rồi trình ký.", "The PDF was taken in. Look it over, then submit."),
    "came_signed": (
        "Tệp đến đã có chữ ký, kiểm tra là thật và được giữ nguyên. Văn thư vào sổ thì phát hành.",
        "The file came signed; its signatures are genuine and it stays as it is. The seal keeper registers it.",
    ),
    "annex_added": ("Đã nhận phụ lục.", "The annex is received."),
    "annex_removed": ("Đã bỏ phụ lục khỏi dự thảo.", "The annex is off the draft."),
    "result_saved": ("Đã lưu nháp.", "The draft is saved."),
    "result_discarded": (
        "Đã bỏ dự thảo. Không có gì bị xóa: vẫn xem được ở đây và ở trang hồ sơ.",
        "The draft is discarded. Nothing is deleted: it can still be read here and from its dossier.",
    ),
    "result_submitted": ("Đã trình ký, đã lấy số.", "Submitted; it has its number."),
    "result_read": ("Đã ghi là đã đọc hết.", "Noted: read to the end."),
    "result_approved": (
        "Đã duyệt. Hệ thống đang ký, đóng dấu và phát hành.",
        "Approved. It is being signed, sealed and issued.",
    ),
    "approved_for_token": (
        "Đã duyệt. Ký bằng USB token của bạn ở dưới; sau đó hệ thống đóng dấu và phát hành.",
        "Approved. Sign it with your token below; then it is sealed and issued.",
    ),
    "token_signed": (
        "Đã nhận bản ký. Hệ thống lấy dấu thời gian, đóng dấu và phát hành.",
        "The signed file was taken. It gets its timestamp, is sealed and issued.",
    ),
    "result_returned": ("Đã trả lại cho người soạn; số đã hủy.", "Returned to its drafter; its number is void."),
    "result_taken_back": ("Đã rút lại để sửa; số đã hủy.", "Taken back to be changed; its number is void."),
    "batch_stopped": (
        "Đã dừng. Văn bản đang ký dở được ký nốt; những văn bản còn lại chờ bạn duyệt lại.",
        "Stopped. The one at work is finished; the others wait for your approval again.",
    ),
    "signing_resumed": ("Đang ký tiếp từ chỗ dừng.", "Signing goes on where it stopped."),
    "result_registered": ("Đã vào sổ và phát hành.", "Registered and issued."),
    "result_withdrawn": ("Đã thu hồi. Sổ và trang kiểm tra đã đổi.", "Withdrawn. Register and check page say so."),
    "result_superseded": ("Đã thay thế. Sổ chỉ sang bản mới.", "Superseded. The register points to the new one."),
    "anchor_proposed": (
        "Đã thêm, chưa được tin. Nhờ quản trị viên thứ hai đối chiếu dấu vân tay.",
        "Added, and not trusted yet. Ask a second administrator to compare the fingerprint.",
    ),
    "anchor_confirmed": ("Đã xác nhận. Gốc này được tin từ bây giờ.", "Confirmed. It is trusted from now on."),
    "anchor_refused": ("Đã từ chối. Gốc này không được tin.", "Refused. It isn't trusted."),
    "anchor_retired": ("Đã ghi ngày thôi tin.", "The end of the trust is noted."),
    "nothing_changed": ("Không có gì thay đổi.", "Nothing was changed."),
}
