<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>Compose</name>
    <message>
        <source>To</source>
        <translation>收件人</translation>
    </message>
    <message>
        <source>Type a name</source>
        <translation>输入名称</translation>
    </message>
    <message>
        <source>People found</source>
        <translation>找到的人</translation>
    </message>
    <message>
        <source>Nobody of that name is known here yet.</source>
        <translation>这里还没有叫这个名字的人。</translation>
    </message>
    <message>
        <source>Write your message</source>
        <translation>写下您的消息</translation>
    </message>
    <message>
        <source>New message</source>
        <translation>新消息</translation>
    </message>
    <message>
        <source>To whom? Type a name first.</source>
        <translation>发给谁？请先输入名称。</translation>
    </message>
    <message>
        <source>Nobody here is called “%1”.</source>
        <translation>这里没有人叫“%1”。</translation>
    </message>
    <message>
        <source>“%1” cannot be checked without a connection. What you wrote stays here.</source>
        <translation>没有连接，无法核对“%1”。您写的内容保留在这里。</translation>
    </message>
</context>
<context>
    <name>Conversations</name>
    <message>
        <source>Not sent: %1</source>
        <translation>未发送：%1</translation>
    </message>
    <message>
        <source>Sending: %1</source>
        <translation>正在发送：%1</translation>
    </message>
    <message>
        <source>You: %1</source>
        <translation>您：%1</translation>
    </message>
    <message>
        <source>unread: %1</source>
        <translation>未读：%1</translation>
    </message>
    <message>
        <source>Conversations</source>
        <translation>会话</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Mark read</source>
        <translation>标为已读</translation>
    </message>
</context>
<context>
    <name>Core</name>
    <message>
        <source>1 new message</source>
        <translation>1 条新消息</translation>
    </message>
    <message>
        <source>%1 new messages</source>
        <translation>%1 条新消息</translation>
    </message>
    <message>
        <source>1 message waited for you</source>
        <translation>有 1 条消息在等您</translation>
    </message>
    <message>
        <source>%1 messages waited for you</source>
        <translation>有 %1 条消息在等您</translation>
    </message>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>From %1</source>
        <translation>来自 %1</translation>
    </message>
    <message>
        <source>From %1 and %2 more</source>
        <translation>来自 %1 和另外 %2 人</translation>
    </message>
    <message>
        <source>%1 in %2</source>
        <translation>%1（%2）</translation>
    </message>
    <message>
        <source>%1 (%2 new)</source>
        <translation>%1（%2 条新消息）</translation>
    </message>
    <message>
        <source>Deskbell needs your attention</source>
        <translation>Deskbell 需要您的注意</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>Older messages are no longer on the server (%1).</source>
        <translation>服务器上已没有更早的消息（%1）。</translation>
    </message>
    <message>
        <source>The server was restored on or before %1. Some messages may be missing around here.</source>
        <translation>服务器曾在 %1 或之前恢复过数据，此处前后可能缺少一些消息。</translation>
    </message>
    <message>
        <source>You were signed out on this computer. Sign in again; nothing you wrote is lost.</source>
        <translation>您在这台计算机上已被退出登录。请重新登录，您写的内容不会丢失。</translation>
    </message>
    <message>
        <source>This version of Deskbell is too old for the server. Please update it.</source>
        <translation>此版本的 Deskbell 对服务器来说太旧，请更新。</translation>
    </message>
    <message>
        <source>Not sent. %1</source>
        <translation>未发送。%1</translation>
    </message>
    <message>
        <source>Important: %1</source>
        <translation>重要：%1</translation>
    </message>
    <message>
        <source>Urgent: %1</source>
        <translation>紧急：%1</translation>
    </message>
    <message>
        <source>1 message was not sent</source>
        <translation>1 条消息未发送</translation>
    </message>
    <message>
        <source>%1 messages were not sent</source>
        <translation>%1 条消息未发送</translation>
    </message>
    <message>
        <source>Not sent to %1</source>
        <translation>未发送给 %1</translation>
    </message>
    <message>
        <source>The text has %1 KiB, and at most %2 KiB go into one message.</source>
        <translation>文字有 %1 KiB，一条消息最多 %2 KiB。</translation>
    </message>
    <message>
        <source>There is nothing in it.</source>
        <translation>里面没有内容。</translation>
    </message>
    <message>
        <source>The server could not be reached for three days. Try again when you like.</source>
        <translation>三天内一直无法连接服务器。您可以随时重试。</translation>
    </message>
    <message>
        <source>Nobody here is called %1.</source>
        <translation>这里没有人叫%1。</translation>
    </message>
    <message>
        <source>Only administrators write to everyone.</source>
        <translation>只有管理员可以写给所有人。</translation>
    </message>
    <message>
        <source>Only members write to %1.</source>
        <translation>只有成员可以写给%1。</translation>
    </message>
    <message>
        <source>What this answers to is no longer on the server.</source>
        <translation>所回复的消息已不在服务器上。</translation>
    </message>
    <message>
        <source>The server has another text under its number. Discard this one and write it again.</source>
        <translation>服务器已用此编号保存了另一段文字。请丢弃这一条，重新写。</translation>
    </message>
    <message>
        <source>The server does not accept what was typed.</source>
        <translation>服务器不接受所输入的内容。</translation>
    </message>
    <message>
        <source>The server does not understand this version of Deskbell.</source>
        <translation>服务器不理解此版本的 Deskbell。</translation>
    </message>
    <message>
        <source>Too many at once. Try again in %1 s.</source>
        <translation>操作太频繁，请在 %1 秒后重试。</translation>
    </message>
    <message>
        <source>You are signed in on too many devices. Sign out on one of them first.</source>
        <translation>您登录的设备太多。请先在其中一台上退出登录。</translation>
    </message>
    <message>
        <source>The server is busy. Try again in a moment.</source>
        <translation>服务器正忙，请稍后重试。</translation>
    </message>
    <message>
        <source>The server cannot store anything right now. Try again in a moment.</source>
        <translation>服务器目前无法保存内容，请稍后重试。</translation>
    </message>
    <message>
        <source>Something went wrong in the server. Try again in a moment.</source>
        <translation>服务器出了问题，请稍后重试。</translation>
    </message>
    <message>
        <source>The server refused it, for a reason that this version of Deskbell does not know.</source>
        <translation>服务器拒绝了，原因是此版本的 Deskbell 所不知道的。</translation>
    </message>
    <message>
        <source>The server does not accept this version of Deskbell. Please update it.</source>
        <translation>服务器不接受此版本的 Deskbell，请更新。</translation>
    </message>
    <message>
        <source>You are signed out.</source>
        <translation>您已退出登录。</translation>
    </message>
    <message>
        <source>You are signed out. 1 message that was not sent stays on this computer and will go out when you sign in again.</source>
        <translation>您已退出登录。1 条未发送的消息保留在这台计算机上，重新登录后会发出。</translation>
    </message>
    <message>
        <source>You are signed out. %1 messages that were not sent stay on this computer and will go out when you sign in again.</source>
        <translation>您已退出登录。%1 条未发送的消息保留在这台计算机上，重新登录后会发出。</translation>
    </message>
    <message>
        <source>That name and password do not match.</source>
        <translation>名称和密码不匹配。</translation>
    </message>
    <message>
        <source>The keyring could not be asked (%1). Please sign in.</source>
        <translation>无法读取密钥环（%1），请登录。</translation>
    </message>
    <message>
        <source>Your keyring waits for you to unlock it.</source>
        <translation>您的密钥环正等待您解锁。</translation>
    </message>
    <message>
        <source>this computer offers no keyring</source>
        <translation>这台计算机没有密钥环</translation>
    </message>
    <message>
        <source>Your sign-in could not be kept (%1). Deskbell stays signed in until it ends, and will ask again at its next start.</source>
        <translation>无法保存您的登录（%1）。Deskbell 在退出之前保持登录，下次启动时会再次询问。</translation>
    </message>
    <message>
        <source>“%1” is not an address. It looks like https://desk.example.org.</source>
        <translation>“%1”不是地址。地址的样子如 https://desk.example.org。</translation>
    </message>
    <message>
        <source>http://%1 would send your password and messages readable for anyone on the way. Use https, or choose to send them without encryption.</source>
        <translation>http://%1 会让途中任何人都能读到您的密码和消息。请使用 https，或选择不加密发送。</translation>
    </message>
    <message>
        <source>There is no server named %1. Check the address, and the network.</source>
        <translation>没有名为 %1 的服务器。请检查地址和网络。</translation>
    </message>
    <message>
        <source>Nothing listens at %1. Does the server run, and is the port right?</source>
        <translation>%1 没有程序在监听。服务器是否在运行？端口是否正确？</translation>
    </message>
    <message>
        <source>%1 cannot be reached. Is this computer connected?</source>
        <translation>无法连接 %1。这台计算机是否已联网？</translation>
    </message>
    <message>
        <source>%1 does not answer.</source>
        <translation>%1 没有响应。</translation>
    </message>
    <message>
        <source>%1 broke off the connection.</source>
        <translation>%1 中断了连接。</translation>
    </message>
    <message>
        <source>%1 cannot prove who it is: %2. Nothing was sent.</source>
        <translation>%1 无法证明自己的身份：%2。未发送任何内容。</translation>
    </message>
    <message>
        <source>its certificate comes from nobody that this computer trusts</source>
        <translation>其证书并非由此计算机信任的机构签发</translation>
    </message>
    <message>
        <source>If your organisation has an authority of its own, give the file of its certificate as ca_file in %1, and start Deskbell again.</source>
        <translation>如果贵单位有自己的证书颁发机构，请在 %1 中用 ca_file 指定其证书文件，然后重新启动 Deskbell。</translation>
    </message>
    <message>
        <source>its certificate has expired</source>
        <translation>其证书已过期</translation>
    </message>
    <message>
        <source>its certificate is not valid yet, or this computer&apos;s clock is wrong</source>
        <translation>其证书尚未生效，或此计算机的时钟有误</translation>
    </message>
    <message>
        <source>its certificate is made out to another name</source>
        <translation>其证书属于另一个名称</translation>
    </message>
    <message>
        <source>%1 does not speak TLS as it should. Perhaps the port is another one.</source>
        <translation>%1 的 TLS 通信不正常，也许端口不对。</translation>
    </message>
    <message>
        <source>The certificate file %1, which is ca_file in %3, cannot be used (%2).</source>
        <translation>无法使用证书文件 %1（%2）；它由 %3 中的 ca_file 指定。</translation>
    </message>
    <message>
        <source>%1 answers without encryption. Ask for its https address; or, where nobody on the way can read along, type http://%1 and choose to send your password without encryption.</source>
        <translation>%1 的应答没有加密。请询问其 https 地址；如果途中无人能窃读，也可以输入 http://%1，并选择不加密发送密码。</translation>
    </message>
    <message>
        <source>The proxy %1, which is set on this computer for %2, cannot be reached.</source>
        <translation>无法连接代理服务器 %1；此计算机为 %2 设置了它。</translation>
    </message>
    <message>
        <source>The proxy %1, which is set on this computer, does not let Deskbell through to %2 (%3).</source>
        <translation>此计算机设置的代理服务器 %1 不让 Deskbell 连接 %2 (%3)。</translation>
    </message>
    <message>
        <source>%1 answers, but the Deskbell server behind it does not (%2).</source>
        <translation>%1 有响应，但其后的 Deskbell 服务器没有（%2）。</translation>
    </message>
    <message>
        <source>%1 sends us on to %2. Type that address, if it is right.</source>
        <translation>%1 转到了 %2。如果无误，请输入该地址。</translation>
    </message>
    <message>
        <source>%1 answers, but it is not a Deskbell server.</source>
        <translation>%1 有响应，但不是 Deskbell 服务器。</translation>
    </message>
    <message>
        <source>The connection failed for a reason that Deskbell does not know. It keeps trying.</source>
        <translation>连接因未知原因失败，Deskbell 会继续重试。</translation>
    </message>
    <message>
        <source>The network part of Deskbell has stopped. Quit it and start it again.</source>
        <translation>Deskbell 的网络部分已停止，请退出程序后重新启动。</translation>
    </message>
    <message>
        <source>The messages kept on this computer could not be read. They were put aside as %1; Deskbell fetches them again from the server.</source>
        <translation>无法读取保存在这台计算机上的消息，已将其移到 %1；Deskbell 会从服务器重新获取。</translation>
    </message>
    <message>
        <source>The messages kept on this computer are of another version of Deskbell. They were put aside as %1; Deskbell fetches them again from the server.</source>
        <translation>保存在这台计算机上的消息属于另一个版本的 Deskbell，已将其移到 %1；Deskbell 会从服务器重新获取。</translation>
    </message>
    <message>
        <source>Deskbell cannot write to %1 (%2). Until that is mended, messages and what you write are kept only while it runs.</source>
        <translation>Deskbell 无法写入 %1（%2）。在此之前，消息和您写的内容只在程序运行期间保留。</translation>
    </message>
    <message>
        <source>Deskbell can write again</source>
        <translation>Deskbell 又可以保存了</translation>
    </message>
    <message>
        <source>What came and what you wrote meanwhile is kept on this computer now.</source>
        <translation>这段时间收到的和您写下的内容，现在都已保存在这台电脑上。</translation>
    </message>
    <message>
        <source>Deskbell cannot write to this computer&apos;s disk. What you wrote and is not sent yet is lost when you go on.</source>
        <translation>Deskbell 无法写入这台电脑的磁盘。如果继续，您写好但还没有发出的内容就会丢失。</translation>
    </message>
    <message>
        <source>The settings in %1 could not be read. Deskbell begins with its own.</source>
        <translation>无法读取 %1 中的设置，Deskbell 使用自带的设置。</translation>
    </message>
    <message>
        <source>The settings could not be written to %1 (%2).</source>
        <translation>无法将设置写入 %1（%2）。</translation>
    </message>
</context>
<context>
    <name>Found</name>
    <message>
        <source>Messages, the newest %1</source>
        <translation>消息（最新 %1 条）</translation>
    </message>
    <message>
        <source>People</source>
        <translation>联系人</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>消息</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>搜索结果</translation>
    </message>
</context>
<context>
    <name>Instance</name>
    <message>
        <source>Deskbell runs already, but does not answer. End it and start again.</source>
        <translation>Deskbell 已在运行，但没有回应。请先结束它，再重新启动。</translation>
    </message>
    <message>
        <source>Deskbell cannot tell whether it runs already: %1</source>
        <translation>Deskbell 无法判断自己是否已在运行：%1</translation>
    </message>
    <message>
        <source>Deskbell runs already; its window was asked to open.</source>
        <translation>Deskbell 已在运行，已请它打开窗口。</translation>
    </message>
    <message>
        <source>Deskbell runs already, on another screen (%1). Quit it there first.</source>
        <translation>Deskbell 已在另一个屏幕（%1）上运行，请先在那里退出。</translation>
    </message>
</context>
<context>
    <name>Login</name>
    <message>
        <source>Sign in to Deskbell</source>
        <translation>登录 Deskbell</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>服务器</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>密码</translation>
    </message>
    <message>
        <source>Send my password without encryption</source>
        <translation>不加密发送我的密码</translation>
    </message>
    <message>
        <source>This address begins with http://. Everyone on the way could read what is sent.</source>
        <translation>此地址以 http:// 开头，途中任何人都能读到发送的内容。</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>登录</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>正在登录…</translation>
    </message>
    <message>
        <source>Messages ring here, at your desk.</source>
        <translation>消息在这里响起，就在您的桌面上。</translation>
    </message>
</context>
<context>
    <name>Loss</name>
    <message>
        <source>Deskbell</source>
        <translation>Deskbell</translation>
    </message>
    <message>
        <source>Stay</source>
        <translation>留下</translation>
    </message>
    <message>
        <source>Lose it</source>
        <translation>放弃这些内容</translation>
    </message>
</context>
<context>
    <name>Messages</name>
    <message>
        <source>New</source>
        <translation>新消息</translation>
    </message>
    <message>
        <source>The rest is too long to show. Copying takes all of it.</source>
        <translation>其余内容太长，无法显示；复制时会包含全部内容。</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>显示全部</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>丢弃</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>消息</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Open %1</source>
        <translation>打开 %1</translation>
    </message>
    <message>
        <source>Copy the address</source>
        <translation>复制地址</translation>
    </message>
    <message>
        <source>You</source>
        <translation>您</translation>
    </message>
    <message>
        <source>↓ %1 new</source>
        <translation>↓ %1 条新消息</translation>
    </message>
    <message>
        <source>New messages below: %1</source>
        <translation>下方有新消息：%1</translation>
    </message>
</context>
<context>
    <name>Pane</name>
    <message>
        <source>Answer %1 privately</source>
        <translation>私下回复 %1</translation>
    </message>
    <message>
        <source>Write to %1…</source>
        <translation>写给 %1…</translation>
    </message>
    <message>
        <source>Program</source>
        <translation>程序</translation>
    </message>
    <message>
        <source>Group %1</source>
        <translation>群组 %1</translation>
    </message>
</context>
<context>
    <name>Popup</name>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Reply</source>
        <translation>回复</translation>
    </message>
    <message>
        <source>Mark read</source>
        <translation>标为已读</translation>
    </message>
    <message>
        <source>Your answer</source>
        <translation>您的回复</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>Reply</name>
    <message>
        <source>Your answer</source>
        <translation>您的回复</translation>
    </message>
    <message>
        <source>Ctrl+Enter</source>
        <translation>Ctrl+Enter</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>Too long by %1 bytes. Please send it in parts.</source>
        <translation>超出 %1 字节，请分几次发送。</translation>
    </message>
</context>
<context>
    <name>ReplyPopup</name>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Answer to %1</source>
        <translation>回复 %1</translation>
    </message>
    <message>
        <source>Your answer</source>
        <translation>您的回复</translation>
    </message>
</context>
<context>
    <name>Side</name>
    <message>
        <source>Sign in</source>
        <translation>登录</translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>立即重试</translation>
    </message>
    <message>
        <source>Do not disturb is on</source>
        <translation>勿扰已开启</translation>
    </message>
    <message>
        <source>Search messages</source>
        <translation>搜索消息</translation>
    </message>
    <message>
        <source>New message</source>
        <translation>新消息</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>Nothing found for “%1”.</source>
        <translation>没有找到“%1”。</translation>
    </message>
    <message>
        <source>No conversations yet.</source>
        <translation>还没有会话。</translation>
    </message>
    <message>
        <source>Do not disturb</source>
        <translation>勿扰</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>退出登录</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出程序</translation>
    </message>
</context>
<context>
    <name>Tray</name>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>New message</source>
        <translation>新消息</translation>
    </message>
    <message>
        <source>Do not disturb</source>
        <translation>勿扰</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>退出登录</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出程序</translation>
    </message>
    <message>
        <source>Deskbell</source>
        <translation>Deskbell</translation>
    </message>
    <message>
        <source>Deskbell, unread: %1</source>
        <translation>Deskbell，未读：%1</translation>
    </message>
</context>
<context>
    <name>Window</name>
    <message>
        <source>Deskbell</source>
        <translation>Deskbell</translation>
    </message>
    <message>
        <source>Sign in, and messages ring here, at your desk.</source>
        <translation>登录之后，消息就会在这里响起。</translation>
    </message>
    <message>
        <source>You are signed out</source>
        <translation>您已退出登录</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>登录</translation>
    </message>
    <message>
        <source>Loading messages…</source>
        <translation>正在加载消息…</translation>
    </message>
    <message>
        <source>Choose a conversation</source>
        <translation>请选择一个会话</translation>
    </message>
    <message>
        <source>Its messages appear here.</source>
        <translation>它的消息会显示在这里。</translation>
    </message>
    <message>
        <source>Deskbell tries again by itself. Nothing is lost meanwhile.</source>
        <translation>Deskbell 会自动重试，期间不会丢失任何内容。</translation>
    </message>
    <message>
        <source>Waits for the connection</source>
        <translation>正在等待连接</translation>
    </message>
    <message>
        <source>You are signed in as %1</source>
        <translation>您已登录为 %1</translation>
    </message>
    <message>
        <source>Messages ring here. Closing this window leaves the bell in the tray.</source>
        <translation>消息会在这里响铃。关闭此窗口后，铃铛仍留在托盘中。</translation>
    </message>
    <message>
        <source>Messages ring here. Closing this window leaves the bell in the taskbar.</source>
        <translation>消息会在这里响铃。关闭此窗口后，铃铛仍留在任务栏中。</translation>
    </message>
    <message>
        <source>Messages to you ring at your desk and stay here. Write the first one yourself.</source>
        <translation>发给您的消息会在桌面上响起，并保留在这里。不妨由您来写第一条。</translation>
    </message>
    <message>
        <source>Nothing here yet</source>
        <translation>这里还没有内容</translation>
    </message>
    <message>
        <source>New message</source>
        <translation>新消息</translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message>
        <source>Today</source>
        <translation>今天</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>昨天</translation>
    </message>
    <message>
        <source>Connected to %1</source>
        <translation>已连接到 %1</translation>
    </message>
    <message>
        <source>Connecting to %1…</source>
        <translation>正在连接 %1…</translation>
    </message>
    <message>
        <source>Waits for the connection to %1</source>
        <translation>正在等待与 %1 的连接</translation>
    </message>
    <message>
        <source>Signed out</source>
        <translation>已退出登录</translation>
    </message>
    <message>
        <source>Sending…</source>
        <translation>正在发送…</translation>
    </message>
    <message>
        <source>Sent</source>
        <translation>已发送</translation>
    </message>
    <message>
        <source>Not sent.</source>
        <translation>未发送。</translation>
    </message>
    <message>
        <source>To %1</source>
        <translation>发给 %1</translation>
    </message>
    <message>
        <source>Urgent</source>
        <translation>紧急</translation>
    </message>
    <message>
        <source>Important</source>
        <translation>重要</translation>
    </message>
</context>
</TS>
