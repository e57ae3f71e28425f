import type { Translation } from '../catalogue.ts'
import type { words as english } from '../en/device.ts'

export const words = {
  'insecure.title': '这个地址不安全',
  'insecure.what': '浏览器只让走 https 的页面，或就在这台电脑上（localhost）的页面做计算。',
  'insecure.works': '聊天照样可以看、可以改、可以带进来、可以保存。',
  'insecure.next': '在地址前加上 https:// 打开同一个页面，或者在提供它的那台电脑上打开。',
  'recovering.title': '显卡走开了一会儿',
  'recovering.what': '驱动重启时会这样。模型正在放回去。',
  'recovering.works': '你的聊天都在，回答会自己接着往下说。',
  'needs-reload.title': '显卡又走开了',
  'needs-reload.what': '它在短时间里走开了两次，浏览器不再把它交给这个页面。',
  'needs-reload.works': '你的聊天都在。照样可以看、可以改、可以带进来、可以保存。',
  'needs-reload.next': '重新载入页面。如果总是这样，就关掉别的正在用显卡的程序。',
  'no-webgpu.what': '这个浏览器没有 WebGPU，页面要靠它才够得着显卡。',
  'no-webgpu.next':
    'Chrome 和 Edge 在 Windows、macOS 上有，Android 12 上从 121 版起有；Linux 上从 144 版起，在较新的 Intel 显卡上有。Firefox 在 Windows 上从 141 版起有，Safari 从 26 版起有。',
  'no-adapter.what': '浏览器没有给这个页面任何显卡。',
  'no-adapter.next':
    '它可能被关掉了，或者它的驱动在不可靠的名单上。如果这台电脑有显卡，就在浏览器的系统设置里打开“使用图形加速功能（如果可用）”，更新驱动，再重新启动浏览器。chrome://gpu 里说得更多。',
  'no-device.what': '浏览器找到了显卡，却没能为这个页面打开它。',
  'no-device.next': '关掉别的正在大用显卡的标签页和程序，再重新载入页面。',
  'faster.what': '这个页面没有显卡可用。两种替代的办法都试过，这种更快。',
  'faster.next':
    '如果这台电脑有显卡，就在浏览器的系统设置里打开“使用图形加速功能（如果可用）”，更新驱动，再重新启动浏览器。',
  'lost.what': '显卡走开了，浏览器不再把它交给这个页面。',
  'lost.next': '重新载入页面就能要回它。如果总是这样，就关掉别的正在用它的程序。',
  'failed.what': '显卡装不下这个模型。',
  'failed.next': '关掉别的正在用显卡的标签页和游戏，再重新载入页面。',
  'wrong.what': '显卡或它的驱动算错了：拿几道有答案的小题考它，答得不对。',
  'wrong.next': '更新驱动和浏览器，再重新载入页面。把诊断信息发给我们，好让我们知道有这么一张卡。',
  'unknown-graph.what': '这个模型的构造，我们写给显卡的程序不认得。',
  'otherCard.windows':
    '有两张显卡时由 Windows 来选：“设置”里的“系统”、“屏幕”、“显示卡”下有浏览器一行，其中“高性能”是更快的那张。',
  'otherCard.linux': '有两张显卡时，浏览器用的是启动它的那张：多数桌面在它图标的菜单里有“使用独立显卡启动”。',
  slow: '由处理器来答',
  'slow.rate': '由处理器来答，每秒约 {rate} 个词元',
  'slow.works': '聊天一切照旧，只是慢些；谁也没法学新的台词。',
  'slow.software': '这个页面没有显卡可用：浏览器让处理器扮演一张。',
  'slow.patience': '什么都能用，只要有耐心。',
} as const satisfies Translation<typeof english>
